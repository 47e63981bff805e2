namespace Streaming.Worker.Metrics;

/// <summary>Two quantiles.</summary>
public sealed record Quantiles(double P50, double P99);
