using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Streaming.Core.Embeddings;
using Streaming.Core.Histories;
using Xunit;

namespace Streaming.Core.Tests.Embeddings;

/// <summary>The specification for readers in other languages agrees with the code.</summary>
public partial class ContractTests
{
    private static readonly float[] Numbers = [1, -0.5f, 0.25f, 3, -4, 0, 0.125f, -2];
    private static readonly int[] Widths = [2, 4, 8];
    private static readonly EmbeddingStamp Stamp = new(7, 42, 123_456_789_012, 1_700_000_000_000);
    private static readonly Dictionary<string, string> Vectors = Read();

    [Theory]
    [InlineData("float32", EmbeddingElement.Float32, false)]
    [InlineData("float16", EmbeddingElement.Float16, false)]
    [InlineData("float16 with norms", EmbeddingElement.Float16, true)]
    [InlineData("int8", EmbeddingElement.Int8, false)]
    [InlineData("int8 with norms", EmbeddingElement.Int8, true)]
    public void Encode_VectorOfThePage_GivesItsBytes(string name, EmbeddingElement element, bool norms) =>
        Assert.Equal(Vectors[name], Encode(new EmbeddingFormat(element, Widths, norms), Stamp));

    [Fact]
    public void Encode_CountersAtTheirEnds_GivesThePagesBytes() =>
        Assert.Equal(
            Vectors["float16, counters at their ends"],
            Encode(
                new EmbeddingFormat(EmbeddingElement.Float16, [8]),
                new(uint.MaxValue, uint.MaxValue, EmbeddingStamp.MaxCounter, EmbeddingStamp.MaxCounter)
            )
        );

    [Theory]
    [InlineData("foreign", EmbeddingFault.Foreign)]
    [InlineData("truncated", EmbeddingFault.Truncated)]
    [InlineData("newer", EmbeddingFault.NewerVersion)]
    [InlineData("corrupt", EmbeddingFault.Corrupt)]
    public void TryRead_RefusedBytesOfThePage_HaveItsReason(string name, EmbeddingFault fault) =>
        Assert.Equal(fault, EmbeddingValue.TryRead(Convert.FromHexString(Vectors[name]), out _));

    [Fact]
    public void Encode_HistoryOfThePage_GivesItsBytes()
    {
        byte[] bytes = new byte[UserHistoryValue.Length(3)];
        UserHistoryValue.Encode([1, ulong.MaxValue, 0x0123456789ABCDEF], new HistoryAge(1_700_000_000_000, 5_099_999_999_000), bytes);
        Assert.Equal(Vectors["history"], Convert.ToHexStringLower(bytes));
    }

    [Theory]
    [InlineData(
        "facts",
        """{"category":"shoes","tags":["a","ü"],"price":12.5,"available":true}""",
        3,
        1_700_000_000_000,
        1_700_086_400_000
    )]
    [InlineData("facts without attributes", null, 0, 0, 0)]
    public void Encode_FactsOfThePage_GivesTheirBytes(string name, string? attributes, long events, long since, long popularity) =>
        Assert.Equal(
            Vectors[name],
            Convert.ToHexStringLower(
                ItemFactsValue.Encode(new ItemFacts(attributes, events, since) { Popularity = popularity }, 42, 123_456_789_012)
            )
        );

    [Fact]
    public void TryRead_FactsOfVersion1_AreTheSameWithoutPopularity()
    {
        EmbeddingFault fault = ItemFactsValue.TryRead(
            Convert.FromHexString(Vectors["facts, version 1"]),
            out ItemFacts facts,
            out ReadOnlySpan<byte> attributes
        );

        Assert.Equal((EmbeddingFault.None, new ItemFacts(null, 3, 1_700_000_000_000)), (fault, facts));
        Assert.StartsWith("""{"category":"shoes",""", System.Text.Encoding.UTF8.GetString(attributes), StringComparison.Ordinal);
    }

    [Fact]
    public void Encode_ListsOfThePage_GivesTheirBytes() =>
        Assert.Equal(
            Vectors["lists"],
            Convert.ToHexStringLower(
                RelatedItemsValue.Encode(
                    new RelatedItems(10, [new(1, 0.75f), new(ulong.MaxValue, 0.5f)], [new(0x0123456789ABCDEF, 0.25f)]),
                    42,
                    123_456_789_012
                )
            )
        );

    [Fact]
    public void Checksum_OfTheUsualDigits_IsThePages() =>
        Assert.Equal(0xE3069283, Checksum.End(Checksum.Append(Checksum.Start, "123456789"u8)));

    [Theory]
    [InlineData("item-1", "item-1")]
    [InlineData("tëa", "tëa")]
    [InlineData("", "(empty)")]
    public void Key_IdOfThePage_IsThePagesKey(string id, string name)
    {
        Assert.Equal(Vectors[name], Encoding.UTF8.GetString(new RedisKeys("shop").Items(3).Key(id)));
        Assert.Equal(Vectors[$"{name} in layout 1"], Encoding.UTF8.GetString(new RedisKeys("shop", layout: 1).Items(3).Key(id)));
    }

    [Fact]
    public void Tag_PartitionsOfThePage_AreThePages()
    {
        int checkedTags = 0;
        foreach ((string name, string tag) in Vectors)
        {
            if (TagRow().Match(name) is { Success: true } row)
            {
                int[] numbers = [.. row.Groups.Values.Skip(1).Select(group => int.Parse(group.ValueSpan, CultureInfo.InvariantCulture))];
                Assert.Equal(tag, new RedisKeys("shop", numbers[0]).Tag(numbers[1]));
                Assert.Equal(numbers[2], HashSlots.Of(Encoding.ASCII.GetBytes(tag)));
                checkedTags++;
            }
        }

        Assert.Equal(11, checkedTags);
    }

    private static string Encode(EmbeddingFormat format, EmbeddingStamp stamp)
    {
        byte[] bytes = new byte[format.Length];
        Assert.True(EmbeddingValue.TryEncode(Numbers, format, stamp, bytes));
        return Convert.ToHexStringLower(bytes);
    }

    /// <summary>All table rows of two cells, the second in code quotes.</summary>
    private static Dictionary<string, string> Read()
    {
        string folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Streaming.sln")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("The tests run inside the repository.");
        }

        string page = File.ReadAllText(Path.Combine(folder, "schemas", "embedding-value.md"));
        return Row()
            .Matches(page)
            .ToDictionary(match => match.Groups[1].Value.Trim('`'), match => match.Groups[2].Value, StringComparer.Ordinal);
    }

    [GeneratedRegex(@"^P (\d+), p (\d+), slot (\d+)$")]
    private static partial Regex TagRow();

    [GeneratedRegex(@"^\| ([^|]+?) \| `([^`|]*)` \|$", RegexOptions.Multiline)]
    private static partial Regex Row();
}
