namespace Streaming.Core.Histories;

/// <summary>
/// How far a user's history has come. Of two states of one history the later one never has the smaller age: an event raises
/// the newest time, or leaves it and raises the sum, because it adds its time or takes the place of an older one.
/// </summary>
/// <param name="NewestTime">Time of the newest event, Unix milliseconds, below 2^48.</param>
/// <param name="TimeSum">Sum of the times of the items that are there.</param>
public readonly record struct HistoryAge(long NewestTime, long TimeSum);
