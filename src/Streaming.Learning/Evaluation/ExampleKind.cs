namespace Streaming.Learning.Evaluation;

/// <summary>Which segments an example belongs to.</summary>
/// <param name="IsRepeat">The item was in the user's stored history.</param>
/// <param name="IsKnownUser">The user had a history.</param>
/// <param name="IsFirstDay">The item's first event was less than a day ago, or is this one.</param>
/// <param name="IsAfterDrift">The event came after an artificial drift.</param>
public readonly record struct ExampleKind(bool IsRepeat, bool IsKnownUser, bool IsFirstDay = false, bool IsAfterDrift = false);
