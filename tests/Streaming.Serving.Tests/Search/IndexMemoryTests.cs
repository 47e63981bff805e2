using Streaming.Core.Embeddings;
using Streaming.Core.Generations;
using Streaming.Kernels.Packed;
using Streaming.Serving.Approximate;
using Streaming.Serving.Filters;
using Streaming.Serving.Graphs;
using Streaming.Serving.Search;
using Xunit;

namespace Streaming.Serving.Tests.Search;

/// <summary>What is said of memory before it is taken is what is taken. By itself, because others' memory would count.</summary>
[Collection(nameof(Alone))]
public sealed class IndexMemoryTests
{
    private const int Items = 100_000;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Of_IsWhatATableTakes(bool hasAttributes)
    {
        string[] attributes = hasAttributes ? ["category", "price:number"] : [];
        var schema = AttributeSchema.Of(attributes);
        byte[] facts = ItemFactsValue.Encode(new("""{"category":"shoes","price":9.5}""", 3, 1_700_000_000_000), 1, 1);
        float[] vector = new float[64];
        Array.Fill(vector, 0.5f);
        long before = GC.GetTotalMemory(forceFullCollection: true);
        using VectorTable table = new([16, 64], RowElement.Float16, schema);
        for (int i = 0; i < Items; i++)
        {
            table.Set($"item-{i:d11}", vector, default, hasAttributes ? facts : []);
        }

        long taken = GC.GetTotalMemory(forceFullCollection: true) - before;
        long said = IndexMemory.Of(
            new GenerationRecord
            {
                Generation = 1,
                Widths = [16, 64],
                Items = Items,
                Attributes = attributes,
            }
        );

        Assert.InRange(said / (double)taken, 0.85, 1.05);
        GC.KeepAlive(table);
    }

    [Theory]
    [InlineData(32)]
    [InlineData(128)]
    public void BytesOf_IsNotMoreThanAGraphTakes(int width)
    {
        const int vectors = 20_000;
        var random = new Random(1);
        using VectorGraph graph = UsearchGraph.Create(new GraphShape(width, vectors, 1, 32));
        float[] vector = new float[width];
        for (int row = 0; row < vectors; row++)
        {
            for (int i = 0; i < width; i++)
            {
                vector[i] = random.NextSingle() - 0.5f;
            }

            graph.Add(row, vector);
        }

        // Of few vectors, most is what USearch reserves.
        Assert.InRange(UsearchGraph.BytesOf(vectors, width) / (double)graph.Bytes, 0.3, 1);
    }

    [CollectionDefinition(nameof(Alone), DisableParallelization = true)]
    public sealed class Alone;
}
