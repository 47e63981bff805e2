using System.Numerics.Tensors;
using Streaming.Learning.Text;
using Streaming.Models.Options;
using Xunit;

namespace Streaming.Learning.Tests.Text;

public class TextHasherTests
{
    private static readonly TextField Title = new("title");

    /// <summary>Bits of the values, computed by another program (Python, with its own XXH64 and the normalization of its library): they
    /// are those of <see cref="FeatureGroup.CurrentScheme"/> for ever.</summary>
    public static TheoryData<string, string, string, uint[]> Vectors =>
        new()
        {
            {
                "g:8=title",
                "Red nail polish",
                "",
                [0xbd2777d4, 0x3e390a3d, 0xbef95117, 0xbf35597d, 0xbebdd793, 0x3e46b308, 0xbd8452ea, 0xbe5efe8a]
            },
            {
                "g:8=title+brand[]",
                "Crème Brûlée №2",
                "L'Oréal | Paris",
                [0xbd459466, 0xbea63428, 0x3dd0488c, 0x3f639a92, 0xbe1b51cc, 0x3ce9ef0d, 0x3d826b61, 0x3e8123da]
            },
            { "g:4=title", "수분 크림", "", [0xbeda514b, 0x3eda514b, 0x3f4bb16a, 0xbd69fdf5] },
            { "g:3=tags[]", "", "Hair Care|Hair Care|Shampoo", [0x00000000, 0xbf3504f3, 0x3f3504f3] },
        };

    [Theory]
    [MemberData(nameof(Vectors))]
    public void Write_KnownText_HasTheBitsOfTheScheme(string setting, string title, string other, uint[] bits)
    {
        Assert.Equal(1, FeatureGroup.CurrentScheme);
        Assert.True(FeatureGroup.TryParse(setting, out FeatureGroup? group));
        var text = new Dictionary<string, string>
        {
            ["title"] = title,
            ["brand"] = other,
            ["tags"] = other,
        };
        float[] values = new float[group.Length];
        Assert.True(new TextHasher(group).Write(text, values));
        Assert.Equal(bits, values.Select(BitConverter.SingleToUInt32Bits));
    }

    [Fact]
    public void Write_SameTextInAnotherForm_HasTheSameBits()
    {
        float[] expected = Hash("Crème Brûlée");
        Assert.Equal(expected, Hash("Cre\u0300me Bru\u0302le\u0301e"));
        Assert.Equal(expected, Hash("CRÈME, brûlée! crème"));
        Assert.NotEqual(expected, Hash("Creme Brulee"));
    }

    [Fact]
    public void Write_CommonWordsAndParts_MakeTextsAlike()
    {
        float[] lamp = Hash("red table lamp");
        Assert.InRange(TensorPrimitives.Norm<float>(lamp), 0.99999f, 1.00001f);
        float two = TensorPrimitives.Dot<float>(lamp, Hash("red floor lamp"));
        float parts = TensorPrimitives.Dot<float>(lamp, Hash("tables lamps"));
        float none = TensorPrimitives.Dot<float>(lamp, Hash("soft bristle brush"));
        Assert.InRange(two, 0.5f, 0.8f);
        Assert.InRange(parts, 0.2f, 0.6f);
        Assert.InRange(none, -0.2f, 0.2f);
    }

    [Fact]
    public void Write_Category_IsTakenWhole()
    {
        var group = FeatureGroup.Hashed("g", 512, new TextField("brand", IsCategory: true));
        float[] one = Hash(group, "brand", "Xtreme Brite");
        Assert.Equal(one, Hash(group, "brand", " xtreme brite |"));
        Assert.InRange(TensorPrimitives.Dot<float>(one, Hash(group, "brand", "Xtreme")), -0.2f, 0.2f);
        Assert.InRange(TensorPrimitives.Dot<float>(one, Hash(group, "brand", "Other|Xtreme Brite")), 0.6f, 0.8f);
    }

    [Theory]
    [InlineData("brand", "Prada")]
    [InlineData("title", "")]
    [InlineData("title", " – ★ !")]
    public void Write_NoWordInTheFields_IsZerosAndSaidSo(string field, string value)
    {
        float[] values = [1, 1, 1, 1];
        Assert.False(new TextHasher(FeatureGroup.Hashed("g", 4, Title)).Write(new Dictionary<string, string> { [field] = value }, values));
        Assert.Equal([0, 0, 0, 0], values);
    }

    [Fact]
    public void Write_TextOfTheLargestSize_AllocatesNothingOnceBuffersHaveGrown()
    {
        var hasher = new TextHasher(FeatureGroup.Hashed("g", 64, Title, new TextField("tags", IsCategory: true)));
        var text = new Dictionary<string, string>
        {
            ["title"] = string.Join(' ', Enumerable.Range(0, 10_000).Select(static i => $"w{i}"))[..50_000],
            ["tags"] = string.Join('|', Enumerable.Range(0, 1_000)),
        };
        float[] values = new float[64];
        float[] again = new float[64];
        Assert.True(hasher.Write(text, values));
        long before = GC.GetAllocatedBytesForCurrentThread();
        hasher.Write(text, again);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(values, again);
        Assert.True(hasher.Write(new Dictionary<string, string> { ["title"] = new string('x', 65_536) }, values));
        Assert.All(values, static value => Assert.True(float.IsFinite(value)));
    }

    private static float[] Hash(string title) => Hash(FeatureGroup.Hashed("g", 512, Title), "title", title);

    private static float[] Hash(FeatureGroup group, string field, string value)
    {
        float[] values = new float[group.Length];
        Assert.True(new TextHasher(group).Write(new Dictionary<string, string> { [field] = value }, values));
        return values;
    }
}
