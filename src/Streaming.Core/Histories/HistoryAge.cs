namespace Streaming.Core.Histories;

/// <summary>
/// The version of a user's history. Of two states of one history the later one never has the smaller age: an event raises
/// the newest time, or keeps it and raises the sum, because it adds its time or replaces an older one.
/// </summary>
/// <param name="NewestTime">Time of the newest event, Unix milliseconds, below 2^48.</param>
/// <param name="TimeSum">Sum of the times of the items in the history.</param>
public readonly record struct HistoryAge(long NewestTime, long TimeSum);
