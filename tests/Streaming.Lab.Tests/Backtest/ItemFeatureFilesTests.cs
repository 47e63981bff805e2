using System.Numerics.Tensors;
using Streaming.Formats.Inputs;
using Streaming.Lab.Backtest;
using Streaming.Tests;
using Xunit;

namespace Streaming.Lab.Tests.Backtest;

public class ItemFeatureFilesTests
{
    private static readonly string[] Items = ["a", "b", "c", "x", "unknown"];

    [Fact]
    public void Read_TextColumns_SharedWordsMakeItemsAlike()
    {
        using var files = new TemporaryFiles();
        string path = files.Write(
            "items.csv",
            "item,title,categories\na,\"Red, nail polish\",Beauty|Nails\nb,blue nail polish,Beauty|Nails\nc,shampoo for dry "
                + "hair,Beauty|Hair\nx,dry hair red blue shampoo,Beauty|Hair\n"
        );
        ItemFeatures features = ItemFeatureFiles.Read([path], Items, 512);
        Assert.Equal(512, Assert.Single(features.Groups).Length);
        Assert.True(Cosine(features, 0, 1) > 0.5, $"{Cosine(features, 0, 1)}");
        Assert.True(Cosine(features, 0, 2) < 0.3, $"{Cosine(features, 0, 2)}");
        Assert.Equal(1, TensorPrimitives.Norm<float>(features.Rows[0]), 1e-5f);
        Assert.All(features.Rows[4], value => Assert.Equal(0, value));
    }

    [Fact]
    public void Read_Codes_CosineIsTheShareOfCommonCodes()
    {
        using var files = new TemporaryFiles();
        const int Columns = 32;
        string header = "item," + string.Join(',', Enumerable.Range(0, Columns).Select(i => $"c{i}"));
        string path = files.Write(
            "codes.csv",
            header
                + '\n'
                + "a,"
                + string.Join(',', Enumerable.Range(0, Columns).Select(i => i))
                + '\n'
                + "b,"
                + string.Join(',', Enumerable.Range(0, Columns).Select(i => i < 16 ? i : 100))
                + '\n'
                + "c,"
                + string.Join(',', Enumerable.Range(0, Columns).Select(i => i < 16 ? 200 : 100))
                + '\n'
                + "x,"
                + string.Join(',', Enumerable.Range(0, Columns).Select(i => i < 16 ? 200 : i))
                + '\n'
        );

        // Every code occurs twice, so all have equal weight: the cosine is 16 of 32.
        ItemFeatures features = ItemFeatureFiles.Read([path], Items, 4096);
        Assert.Equal(0.5f, Cosine(features, 0, 1), 1e-5f);
        Assert.Equal(0f, Cosine(features, 0, 2), 1e-5f);
    }

    [Fact]
    public void Read_MoreWordsThanLength_KeepsWhatSetsItemsApart()
    {
        // Four topics of 30 words each; an item has ten words of its topic.
        using var files = new TemporaryFiles();
        var random = new Random(7);
        string[] items = [.. Enumerable.Range(0, 80).Select(i => $"i{i}")];
        string path = files.Write(
            "items.csv",
            "item,title\n"
                + string.Concat(
                    items.Select(
                        (item, i) => $"{item},{string.Join(' ', Enumerable.Range(0, 10).Select(_ => $"w{i % 4}x{random.Next(30)}"))}\n"
                    )
                )
        );
        ItemFeatures features = ItemFeatureFiles.Read([path], items, 4);
        ILookup<bool, float> pairs = Enumerable
            .Range(0, items.Length - 1)
            .SelectMany(left => Enumerable.Range(left + 1, items.Length - left - 1).Select(right => (left, right)))
            .ToLookup(pair => pair.left % 4 == pair.right % 4, pair => Cosine(features, pair.left, pair.right));
        Assert.True(pairs[true].Average() > 0.5, $"{pairs[true].Average()}");
        Assert.All(pairs[false], cosine => Assert.Equal(0, cosine, 0.1f));
        Assert.All(features.Rows, row => Assert.Equal(1, TensorPrimitives.Norm<float>(row), 1e-5f));
    }

    [Fact]
    public void Read_NumberColumns_AreTakenAsTheyAre()
    {
        using var files = new TemporaryFiles();
        string codes = files.Write("codes.csv", "item,c0\na,1\nb,1\n");
        string numbers = files.Write("numbers.csv", "item,x0,x1\nb,0.5,-2\n");
        ItemFeatures features = ItemFeatureFiles.Read([codes, numbers], Items, 8);
        Assert.Equal([8, 2], features.Groups.Select(group => group.Length));
        Assert.Equal([0.5f, -2f], features.Rows[1][8..]);
        Assert.Equal([0f, 0f], features.Rows[0][8..]);
    }

    [Fact]
    public void Read_NumberUnreadable_NamesFileLineAndColumn()
    {
        using var files = new TemporaryFiles();
        InputFileException error = Assert.Throws<InputFileException>(() =>
            ItemFeatureFiles.Read([files.Write("n.csv", "item,x0\na,1\nb,NaN\n")], Items, 8)
        );
        Assert.Contains("n.csv: line 3: column x0 is \"NaN\"", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_NoItemKnown_SaysSo()
    {
        using var files = new TemporaryFiles();
        InputFileException error = Assert.Throws<InputFileException>(() =>
            ItemFeatureFiles.Read([files.Write("n.csv", "title,item\nred,a\n")], Items, 8)
        );
        Assert.Contains("the first column must be the item id", error.Message, StringComparison.Ordinal);
    }

    private static float Cosine(ItemFeatures features, int left, int right) =>
        TensorPrimitives.CosineSimilarity<float>(features.Rows[left], features.Rows[right]);
}
