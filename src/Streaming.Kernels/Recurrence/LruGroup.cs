namespace Streaming.Kernels.Recurrence;

/// <summary>The channels of one increment: offset of their real parts in a row, number of channels, row length, number of rows.</summary>
internal readonly record struct LruGroup(int Start, int Length, int RowLength, int Steps);
