namespace Streaming.Learning.Cpu.Ranks;

/// <summary>A candidate of a batch, as its rank tells it to the others.</summary>
/// <param name="Row">Item row.</param>
/// <param name="LogQ">ln p, computed by one rank for all: CPUs may round differently.</param>
internal readonly record struct ColumnItem(int Row, float LogQ);
