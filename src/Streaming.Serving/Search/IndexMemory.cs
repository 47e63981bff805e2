using Streaming.Core.Generations;
using Streaming.Core.Items;
using Streaming.Kernels.Packed;
using Streaming.Serving.Filters;

namespace Streaming.Serving.Search;

/// <summary>How much memory an index takes, for a check before it is loaded.</summary>
public static class IndexMemory
{
    /// <summary>Per item: its id as a string of 16 characters and its entry in the directory; measured.</summary>
    private const int ItemBytes = 96;

    /// <summary>Per item that has facts: events, since, popularity.</summary>
    private const int FactBytes = 3 * sizeof(long);

    /// <summary>Estimates the memory of an index of a generation's items, in bytes: vectors as float16, norms, ids, and one value of each
    /// attribute. It is at least so much: float32 vectors, longer ids and lists of attributes take more.</summary>
    /// <param name="record">The generation.</param>
    public static long Of(GenerationRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        long segments = (record.Items + ItemSegment.Rows - 1) / ItemSegment.Rows;
        IReadOnlyList<AttributeDefinition> fields = AttributeSchema.Of(record.Attributes).Fields;
        int attributes =
            fields.Count == 0
                ? 0
                : FactBytes + fields.Sum(static field => field.Kind == AttributeKind.Number ? sizeof(double) : sizeof(int));
        return (segments * (ItemSegment.BytesOf(RowElement.Float16, record.Widths) + ((long)ItemSegment.Rows * attributes)))
            + (record.Items * ItemBytes);
    }
}
