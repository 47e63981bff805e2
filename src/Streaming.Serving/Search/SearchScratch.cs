namespace Streaming.Serving.Search;

/// <summary>Room for the rows of one segment during a search, each of <see cref="ItemSegment.Rows"/>.</summary>
internal readonly ref struct SearchScratch
{
    public required Span<float> Scores { get; init; }

    public required Span<float> Factors { get; init; }

    /// <summary>Gets room for the rows that a filter admits; empty without a filter.</summary>
    public Span<byte> Mask { get; init; }

    /// <summary>Gets room for a condition; empty without a filter.</summary>
    public Span<byte> Other { get; init; }
}
