namespace Streaming.Worker;

/// <summary>Methods to compare with.</summary>
internal sealed record Baselines(Quality RecentPopularity);
