using System.Diagnostics;

namespace Streaming.Core.Tracing;

/// <summary>A record of a batch that is traced.</summary>
/// <param name="Span">Its span, which ends with the training step.</param>
/// <param name="Example">Its example in the batch.</param>
public readonly record struct TracedRecord(Activity Span, int Example);
