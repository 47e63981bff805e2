namespace Streaming.Learning.Drift;

/// <summary>A drop of recall that was taken for a drift of the stream.</summary>
/// <param name="Recall">Recall@20 of the newest examples, 0 … 1.</param>
/// <param name="Before">That of the examples before them.</param>
public readonly record struct RecallDrop(double Recall, double Before);
