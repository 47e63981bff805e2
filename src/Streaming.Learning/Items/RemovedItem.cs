namespace Streaming.Learning.Items;

/// <summary>An item that lost its row.</summary>
/// <param name="Key">The item's key.</param>
/// <param name="Id">The item's id.</param>
internal readonly record struct RemovedItem(ulong Key, string Id);
