namespace Streaming.Kernels;

/// <summary>Where rows of one increment lie.</summary>
/// <param name="Count">Number of rows.</param>
/// <param name="RowLength">Distance between rows.</param>
/// <param name="StatisticsLength">Distance between the statistics of rows.</param>
/// <param name="Length">Length of the increment.</param>
internal readonly record struct NormRows(int Count, nint RowLength, nint StatisticsLength, nint Length);
