using Streaming.Learning.Bank;
using Streaming.Learning.Items;

namespace Streaming.Learning.Training;

/// <summary>A snapshot of a trainer's figures. Immutable.</summary>
public sealed record TrainerStatus
{
    /// <summary>Gets the status before the first batch.</summary>
    public static TrainerStatus Empty { get; } = new();

    /// <summary>Gets the trainer's counters.</summary>
    public TrainerCounters Counters { get; init; }

    /// <summary>Gets the item table's counters.</summary>
    public ItemTableCounters ItemCounters { get; init; }

    /// <summary>Gets for each feature group how many of the applied catalogue records lacked it.</summary>
    public IReadOnlyList<MissingFeatures> WithoutFeatures { get; init; } = [];

    /// <summary>Gets the number of the last batch.</summary>
    public long Sequence { get; init; }

    /// <summary>Gets the nested widths.</summary>
    public IReadOnlyList<int> Widths { get; init; } = [];

    /// <summary>Gets the total loss of the newest step; 0 before the first.</summary>
    public double Loss { get; init; }

    /// <summary>Gets the loss of the last step for each width.</summary>
    public IReadOnlyList<double> Losses { get; init; } = [];

    /// <summary>Gets the gradient norm of the last step, before clipping.</summary>
    public double GradientNorm { get; init; }

    /// <summary>Gets the learning rate of the last step.</summary>
    public float LearningRate { get; init; }

    /// <summary>Gets the number of items that have a row.</summary>
    public int Items { get; init; }

    /// <summary>Gets the number of past examples kept for replay.</summary>
    public int ReplayCount { get; init; }

    /// <summary>Gets the number of items waiting to be collected for publication.</summary>
    public int RefreshesWaiting { get; init; }

    /// <summary>Gets how long a pass over the catalogue takes, in which everything that moved is posted; zero while there is nothing to
    /// refresh.</summary>
    public TimeSpan RefreshPass { get; init; }

    /// <summary>Gets whether the bank's warm-up is over.</summary>
    public bool BankIsOn { get; init; }

    /// <summary>Gets the number of entries in the bank.</summary>
    public int BankCount { get; init; }

    /// <summary>Gets the number of entries that the next step uses: the bank's effective size.</summary>
    public int BankEntries { get; init; }

    /// <summary>Gets the drift of item embeddings over 1, 5 and 10 steps, relative to their norms; NaN until measured.</summary>
    public IReadOnlyList<double> Drift { get; init; } = [];

    /// <summary>Gets the staleness of bank entries by age (strata that double in size, newest first); NaN until measured.</summary>
    public IReadOnlyList<double> Staleness { get; init; } = [];

    /// <summary>Gets the model's metrics for each width, over the last examples.</summary>
    public IReadOnlyList<SegmentRecall> Recall { get; init; } = [];

    /// <summary>Gets the metrics of recent popularity.</summary>
    public SegmentRecall Popularity { get; init; }

    /// <summary>Gets the metrics of the counting methods, alone and with the model.</summary>
    public IReadOnlyList<SourceRecall> Sources { get; init; } = [];

    /// <summary>Gets the time spent scoring events since this trainer was created.</summary>
    public TimeSpan EvaluationTime { get; init; }

    /// <summary>Gets the share of the events that is scored, averaged over the last batches, 0 … 1.</summary>
    public double EvaluatedShare { get; init; }

    /// <summary>Gets how often recall dropped so far that the stream counts as having drifted, since its beginning.</summary>
    public long RecallDrops { get; init; }

    /// <summary>Gets the size of the counts in bytes.</summary>
    public long CountBytes { get; init; }

    /// <summary>Gets the share of the counted weight that the bounded lists lost, 0 … 1.</summary>
    public double CountsLost { get; init; }

    internal static TrainerStatus Of(Trainer trainer, TrainReport report, BankPolicy bank, int replayCount, int waiting) =>
        new()
        {
            Counters = trainer.Counters,
            ItemCounters = trainer.Items.Counters,
            WithoutFeatures =
            [
                .. trainer.Model.FeatureGroups.Select((group, place) => new MissingFeatures(group, trainer.Items.WithoutFeatures[place])),
            ],
            Sequence = report.Sequence,
            Widths = trainer.Model.Widths,
            Loss = trainer.LastStep.Loss,
            Losses = trainer.LastStep.Losses.ToArray(),
            GradientNorm = trainer.LastStep.GradientNorm,
            LearningRate = trainer.LastLearningRate,
            Items = trainer.Items.Count,
            ReplayCount = replayCount,
            RefreshesWaiting = waiting,
            RefreshPass = trainer.RefreshPass,
            BankIsOn = bank.IsOn,
            BankCount = trainer.Engine.BankCount,
            BankEntries = bank.Entries,
            Drift = bank.Drift.ToArray(),
            Staleness = bank.Staleness.ToArray(),
            Recall = [.. Enumerable.Range(0, trainer.Model.Widths.Count).Select(width => SegmentRecall.Of(trainer.Evaluator, width))],
            Popularity = SegmentRecall.Of(trainer.Baseline, 0),
            Sources = [.. trainer.SourceNames.Select((name, place) => new SourceRecall(name, SegmentRecall.Of(trainer.Sources!, place)))],
            EvaluationTime = trainer.EvaluationTime,
            EvaluatedShare = trainer.EvaluatedShare,
            RecallDrops = trainer.RecallDrops,
            CountBytes = trainer.CountBytes,
            CountsLost = trainer.CountsLost,
        };
}
