using Streaming.Worker.Serve;

namespace Streaming.Lab.Demo.Report;

/// <summary>An item with its nearest neighbours at the smallest and the largest width.</summary>
internal sealed record NeighbourExample(
    string Item,
    string? Title,
    int SmallestWidth,
    IReadOnlyList<NearItem> AtSmallest,
    int LargestWidth,
    IReadOnlyList<NearItem> AtLargest
);
