namespace Streaming.Serving.Lookups;

/// <summary>Counts of a read by outcome.</summary>
/// <param name="Found">Items whose vector was written to the caller's buffer.</param>
/// <param name="Missing">Items that are not in the store.</param>
/// <param name="Refused">Items whose bytes are not a valid value, or of another generation or width.</param>
public readonly record struct ReadCounts(int Found, int Missing, int Refused);
