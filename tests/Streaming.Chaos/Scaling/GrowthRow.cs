using System.Globalization;

namespace Streaming.Chaos.Scaling;

/// <summary>A row of the table of growth.</summary>
internal sealed record GrowthRow
{
    public required int Items { get; init; }

    /// <summary>Gets the seconds until the whole catalogue was in Redis, after its last record was taken in.</summary>
    public required double Published { get; init; }

    public required double IdleWorker { get; init; }

    public required double IdleRedis { get; init; }

    public required double EventsPerSecond { get; init; }

    /// <summary>Gets the events per second while freshness was measured.</summary>
    public required double Rate { get; init; }

    /// <summary>Gets the share of scoring in the time of batches.</summary>
    public required double Scoring { get; init; }

    /// <summary>Gets the share of the trainer's time that is outside of batches: refreshing, posting, snapshots, waiting.</summary>
    public required double Outside { get; init; }

    /// <summary>Gets the embeddings written per second while the worker was behind.</summary>
    public required double Written { get; init; }

    public required double ScoringAtRate { get; init; }

    public required double WorkerAtRate { get; init; }

    /// <summary>Gets where the time went at that rate: milliseconds by leg, on average.</summary>
    public required string Legs { get; init; }

    public required double[] Fresh { get; init; }

    public required double[] FreshAfterRestart { get; init; }

    /// <summary>Gets how many embeddings were written in the minute after a restart.</summary>
    public required double WrittenAfterRestart { get; init; }

    public required long CheckpointBytes { get; init; }

    public static string Header =>
        "| items | events/s behind | scoring | outside of batches | written/s | at a rate of | scoring | worker | "
        + "ms batching/queue/training/handover | fresh p50 | p99 | idle worker | idle Redis | after restart: fresh p50 | p99 | written in a minute | first publication | checkpoint |\n"
        + "|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|";

    public override string ToString() =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"| {Items} | {EventsPerSecond:0} | {Scoring:P0} | {Outside:P0} | {Written:0} | {Rate:0} | {ScoringAtRate:P0} | {WorkerAtRate:P0} | {Legs} | "
                + $"{Quantile(Fresh, 0.5):0.00} s | {Quantile(Fresh, 0.99):0.00} s | {IdleWorker:P1} | {IdleRedis:P1} | "
                + $"{Quantile(FreshAfterRestart, 0.5):0.00} s | {Quantile(FreshAfterRestart, 0.99):0.00} s | {WrittenAfterRestart:0} | "
                + $"{Published:0} s | {CheckpointBytes / 1e6:0.0} MB |"
        );

    private static double Quantile(double[] values, double share) =>
        values.Order().ElementAt((int)Math.Min(values.Length - 1, share * values.Length));
}
