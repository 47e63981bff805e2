namespace Streaming.Kernels.Recurrence;

/// <summary>The channels of one increment: where their real parts start in a row, how many, the row's length, the rows.</summary>
internal readonly record struct LruGroup(int Start, int Length, int RowLength, int Steps);
