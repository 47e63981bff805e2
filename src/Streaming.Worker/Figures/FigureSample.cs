using Streaming.Learning.Training;
using Streaming.Worker.Metrics;

namespace Streaming.Worker.Figures;

/// <summary>The pipeline's main figures at one moment, as the page draws them over time. NaN: not known.</summary>
public sealed record FigureSample
{
    private const string Fused = "fused ";

    /// <summary>Gets when it was taken.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>Gets the records read since the stream's beginning.</summary>
    public required long Read { get; init; }

    /// <summary>Gets the records that went to the dead-letter topic since the start of the process.</summary>
    public required long DeadLetters { get; init; }

    /// <summary>Gets the records that wait at the broker.</summary>
    public required long Lag { get; init; }

    /// <summary>Gets the embeddings that wait to be published.</summary>
    public required int Waiting { get; init; }

    /// <summary>Gets the median freshness of embeddings, in milliseconds.</summary>
    public required double FreshnessP50 { get; init; }

    /// <summary>Gets the 99th percentile of freshness, in milliseconds.</summary>
    public required double FreshnessP99 { get; init; }

    /// <summary>Gets the entries of the memory bank that a step uses.</summary>
    public required int BankUsed { get; init; }

    /// <summary>Gets the entries that the memory bank holds.</summary>
    public required int BankHeld { get; init; }

    /// <summary>Gets the drift of item embeddings over 10 steps, relative to their norms.</summary>
    public required double Drift { get; init; }

    /// <summary>Gets the nested widths.</summary>
    public required IReadOnlyList<int> Widths { get; init; }

    /// <summary>Gets the loss of the last step for each width.</summary>
    public required IReadOnlyList<double> Losses { get; init; }

    /// <summary>Gets the prequential recall for each width.</summary>
    public required IReadOnlyList<double> Recall { get; init; }

    /// <summary>Gets the prequential recall of the widest width ranked together with counts.</summary>
    public required double RecallFused { get; init; }

    /// <summary>Gets the prequential recall of the strongest simple method.</summary>
    public required double RecallBaseline { get; init; }

    /// <summary>Gets the name of that method.</summary>
    public required string Baseline { get; init; }

    /// <summary>Takes the figures of a pipeline.</summary>
    /// <param name="status">Its status.</param>
    /// <param name="at">The time.</param>
    public static FigureSample Of(PipelineStatus status, DateTimeOffset at)
    {
        ArgumentNullException.ThrowIfNull(status);
        TrainerStatus trainer = status.Trainer;
        (string baseline, double recall) = Strongest(trainer);
        return new FigureSample
        {
            At = at,
            Read = status.Counts.Read,
            DeadLetters = status.Source.Rejected.Sum(static rejected => rejected.Records),
            Lag = status.Source.Lag,
            Waiting = status.Waiting,
            FreshnessP50 = Freshness(status, 0.5),
            FreshnessP99 = Freshness(status, 0.99),
            BankUsed = trainer.BankEntries,
            BankHeld = trainer.BankCount,
            Drift = trainer.Drift.Count > 0 ? trainer.Drift[^1] : double.NaN,
            Widths = trainer.Widths,
            Losses = trainer.Losses,
            Recall = [.. trainer.Recall.Select(static width => width.Examples > 0 ? width.Recall : double.NaN)],
            RecallFused = trainer
                .Sources.Where(static source => IsFused(source) && source.Recall.Examples > 0)
                .Select(static source => source.Recall.Recall)
                .LastOrDefault(double.NaN),
            RecallBaseline = recall,
            Baseline = baseline,
        };
    }

    /// <summary>This sample with the worst lag and freshness of both, so that a peak within a minute stays visible.</summary>
    /// <param name="earlier">A sample of the same minute.</param>
    public FigureSample WithWorstOf(FigureSample earlier)
    {
        ArgumentNullException.ThrowIfNull(earlier);
        return this with
        {
            Lag = Math.Max(Lag, earlier.Lag),
            Waiting = Math.Max(Waiting, earlier.Waiting),
            FreshnessP50 = double.MaxNumber(FreshnessP50, earlier.FreshnessP50),
            FreshnessP99 = double.MaxNumber(FreshnessP99, earlier.FreshnessP99),
        };
    }

    private static (string Name, double Recall) Strongest(TrainerStatus trainer) =>
        trainer
            .Sources.Where(static source => !IsFused(source))
            .Prepend(new SourceRecall("recent popularity", trainer.Popularity))
            .Where(static source => source.Recall.Examples > 0)
            .Select(static source => (source.Name, source.Recall.Recall))
            .DefaultIfEmpty((string.Empty, double.NaN))
            .MaxBy(static source => source.Item2);

    private static bool IsFused(SourceRecall source) => source.Name.StartsWith(Fused, StringComparison.Ordinal);

    private static double Freshness(PipelineStatus status, double quantile) =>
        status.Published is { RecentFreshness: { Count: > 0 } recent } ? recent.Quantile(quantile) : double.NaN;
}
