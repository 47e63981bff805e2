using Streaming.Learning.Text;
using Xunit;

namespace Streaming.Learning.Tests.Text;

public class AccentsTests
{
    [Theory]
    [InlineData("red lamp no. 7", "red lamp no. 7")]
    [InlineData("Café crème, señora; Größe ÉCLAIR", "Cafe creme, senora; Große ECLAIR")]
    [InlineData("e\u0301clair", "eclair")]
    [InlineData("ệ ǻ Ὕ", "e a Υ")] // several marks
    [InlineData("각 가", "\u1100\u1161\u11A8 \u1100\u1161")]
    [InlineData("İ 中文 ½ ﬁ", "I 中文 ½ ﬁ")] // compatibility forms stay
    public void Remove_Text_IsItsNfdWithoutNonspacingMarks(string text, string plain) => Assert.Equal(plain, Accents.Remove(text));

    [Fact]
    public void Remove_HalfOfAPair_IsAReplacementCharacter() => Assert.Equal("a\uFFFDb", Accents.Remove($"a{(char)0xD800}b"));
}
