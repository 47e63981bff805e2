using Streaming.Kernels.Packed;

namespace Streaming.Serving.Search;

/// <summary>A query at one width, in the form the kernel needs.</summary>
internal readonly ref struct PreparedQuery
{
    /// <param name="query">The query, <paramref name="width"/> numbers or more.</param>
    /// <param name="width">The number of values to use.</param>
    /// <param name="cosine">Whether scores are divided by the norm of the item's prefix.</param>
    /// <param name="element">Element type of the rows.</param>
    /// <param name="room">Scratch for the width, padded to whole increments.</param>
    public PreparedQuery(ReadOnlySpan<float> query, int width, bool cosine, RowElement element, Span<float> room)
    {
        (Width, Cosine) = (width, cosine);
        Span<float> numbers = room[..PackedRows.Padded(width)];
        Factor = PackedQuery.Prepare(query[..width], element, numbers);
        Numbers = numbers;
    }

    public ReadOnlySpan<float> Numbers { get; }

    public float Factor { get; }

    public int Width { get; }

    public bool Cosine { get; }
}
