using System.Text;
using Streaming.Learning.Text;
using Xunit;

namespace Streaming.Learning.Tests.Text;

public class FoldedTextTests
{
    [Theory]
    [InlineData("Red LAMP 7", "red lamp 7")]
    [InlineData("Cre\u0300me Bru\u0302le\u0301e", "cr\u00E8me br\u00FBl\u00E9e")] // decomposed
    [InlineData("Straße", "strasse")]
    [InlineData("ΣΊΣΥΦΟΣ σίσυφος", "σίσυφοσ σίσυφοσ")]
    [InlineData("ﬁlm №２ ½ ㎏", "film no2 1⁄2 kg")] // compatibility forms
    [InlineData("\u212A \u212B", "k \u00E5")] // Kelvin and Ångström signs
    [InlineData("co\u00ADop\u200D\uFE0F", "coop")] // invisible characters
    [InlineData("\u1112\u1161\u11AB 한 ㉮", "한 한 가")] // Hangul, also circled
    [InlineData("İ", "i\u0307")]
    [InlineData("a\u0315\u0300\u05AE\u0062", "\u00E0\u05AE\u0315b")] // the order of marks
    [InlineData("\u0344 \u0958", "\u0308\u0301 \u0915\u093C")] // excluded from composition
    public void Fold_Text_IsItsNfkcCasefold(string text, string folded) => Assert.Equal(folded, Fold(text));

    [Fact]
    public void Fold_LoneSurrogate_IsTheReplacementCharacter() => Assert.Equal("a\uFFFDb", Fold("a\uD800b"));

    [Fact]
    public void Fold_AnyCodePoint_IsStable()
    {
        var text = new FoldedText();
        for (int point = 0; point <= 0x10FFFF; point++)
        {
            if (point is >= 0xD800 and <= 0xDFFF)
            {
                continue;
            }

            text.Fold(char.ConvertFromUtf32(point));
            string once = ToString(text);
            text.Fold(once);
            Assert.True(once == ToString(text), $"U+{point:X4}");
        }
    }

    [Fact]
    public void Fold_MarksAlone_AreSortedInALongTextToo()
    {
        // 0315 has class 232, 0300 has 230.
        string text = string.Concat(Enumerable.Repeat("\u0315\u0300", 32_768));
        Assert.Equal(new string('\u0300', 32_768) + new string('\u0315', 32_768), Fold(text));
    }

    [Theory]
    [InlineData('a', true)]
    [InlineData('9', true)]
    [InlineData('é', true)]
    [InlineData('語', true)]
    [InlineData('\u0301', true)]
    [InlineData('٣', true)]
    [InlineData('-', false)]
    [InlineData('_', false)]
    [InlineData('€', false)]
    [InlineData(' ', false)]
    [InlineData('\u3000', false)]
    public void IsWord_LettersMarksAndNumbers(char point, bool isWord) => Assert.Equal(isWord, FoldedText.IsWord(point));

    private static string Fold(string text)
    {
        var folded = new FoldedText();
        folded.Fold(text);
        return ToString(folded);
    }

    private static string ToString(FoldedText text)
    {
        var result = new StringBuilder();
        foreach (int point in text.Points)
        {
            result.Append(new Rune(point));
        }

        return result.ToString();
    }
}
