using Streaming.Core.Events;

namespace Streaming.Learning.Ranks;

/// <summary>The sizes of a batch that travels between ranks, and its counts.</summary>
/// <param name="Count">Examples.</param>
/// <param name="FullSize">Examples of a batch that has not grown.</param>
/// <param name="IdBytes">Bytes of the items' ids.</param>
/// <param name="HistoryItems">Items of all histories.</param>
/// <param name="Changes">Changes of the catalogue.</param>
/// <param name="HistoryLength">Largest history of an example: differs where the ranks' settings do.</param>
/// <param name="Counts">Outcomes of the records.</param>
internal readonly record struct BatchHead(
    int Count,
    int FullSize,
    int IdBytes,
    int HistoryItems,
    int Changes,
    int HistoryLength,
    EventCounts Counts
);
