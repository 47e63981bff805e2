namespace Streaming.Formats.Records;

/// <summary>The range of a name or a text in the buffer of a <see cref="RecordTree"/>.</summary>
/// <param name="Start">First byte.</param>
/// <param name="Length">Number of bytes.</param>
public readonly record struct TextRange(int Start, int Length);
