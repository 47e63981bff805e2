namespace Streaming.Worker;

/// <summary>An item with its nearest neighbours at the smallest and the largest width.</summary>
internal sealed record NeighbourExample(string Item, string? Title, int SmallestWidth, IReadOnlyList<Neighbour> AtSmallest, int LargestWidth, IReadOnlyList<Neighbour> AtLargest);
