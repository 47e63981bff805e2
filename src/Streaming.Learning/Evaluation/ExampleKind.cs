namespace Streaming.Learning.Evaluation;

/// <summary>Which segments an example belongs to.</summary>
/// <param name="IsRepeat">The item was in what is kept of the user's history.</param>
/// <param name="IsKnownUser">The user had a history.</param>
/// <param name="IsFirstDay">The item's first event was less than a day before, or this is it.</param>
/// <param name="IsAfterDrift">The event came after a drift that was planted.</param>
public readonly record struct ExampleKind(bool IsRepeat, bool IsKnownUser, bool IsFirstDay = false, bool IsAfterDrift = false);
