namespace Streaming.Core.Histories;

/// <summary>The outcome of <see cref="HistoryStore.Append"/>.</summary>
/// <param name="Before">Number of items written to the destination: the history before the event.</param>
/// <param name="IsKnownUser">Whether the user had a history.</param>
/// <param name="IsRepeat">Whether the history already contained the item.</param>
/// <param name="IsLate">Whether the event is older than the user's newest by more than the allowed lateness.</param>
public readonly record struct HistoryAppend(int Before, bool IsKnownUser, bool IsRepeat, bool IsLate);
