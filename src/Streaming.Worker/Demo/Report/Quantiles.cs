namespace Streaming.Worker;

/// <summary>Two quantiles.</summary>
internal sealed record Quantiles(double P50, double P99);
