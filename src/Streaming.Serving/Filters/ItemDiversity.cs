namespace Streaming.Serving.Filters;

/// <summary>Limits how many items of an answer have the same value of a text attribute: the best of each are kept, and their place goes to
/// the next best items of other values. Items without a value are not limited; one with several values counts for each.</summary>
/// <param name="Field">The attribute: a text or a list of texts.</param>
/// <param name="Limit">The most items of a value, 1 and up.</param>
public sealed record ItemDiversity(string Field, int Limit);
