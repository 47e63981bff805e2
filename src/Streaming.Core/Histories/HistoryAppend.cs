namespace Streaming.Core.Histories;

/// <summary>What <see cref="HistoryStore.Append"/> found.</summary>
/// <param name="Before">Number of items written to the destination: the history before the event.</param>
/// <param name="IsKnownUser">Whether the user had a history.</param>
/// <param name="IsRepeat">Whether the item stood in it, at any place.</param>
/// <param name="IsLate">Whether the event is older than the user's newest by more than the allowed lateness.</param>
public readonly record struct HistoryAppend(int Before, bool IsKnownUser, bool IsRepeat, bool IsLate);
