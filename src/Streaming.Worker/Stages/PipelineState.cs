using Microsoft.Extensions.Logging;
using Streaming.Core.Dedup;
using Streaming.Core.Histories;
using Streaming.Core.Ingestion;
using Streaming.Core.Positions;
using Streaming.Formats.Inputs;
using Streaming.Learning.Checkpoints;
using Streaming.Learning.Engine;
using Streaming.Learning.Ranks;
using Streaming.Learning.Training;
using Streaming.Learning.WarmStarts;
using Streaming.Models.State;
using Streaming.Worker.Engine;

namespace Streaming.Worker.Stages;

/// <summary>
/// What a pipeline learns with and continues from: the engine and its trainer, the ingestion state, and the stream positions that belong
/// to them. Owns engine and trainer.
/// </summary>
internal sealed class PipelineState : IDisposable
{
    private readonly TrainingEngine _engine;

    private PipelineState(TrainingEngine engine, Trainer trainer, IngestState ingest, IReadOnlyList<StreamPosition> positions)
    {
        _engine = engine;
        Trainer = trainer;
        Ingest = ingest;
        Positions = positions;
    }

    /// <summary>Gets the trainer.</summary>
    public Trainer Trainer { get; }

    /// <summary>Gets the ingestion state: histories, the deduplication window, counts.</summary>
    public IngestState Ingest { get; }

    /// <summary>Gets the next offset to read of each partition; a partition that has none is read from its beginning.</summary>
    public IReadOnlyList<StreamPosition> Positions { get; }

    /// <summary>Gets the engine's name and device, for the log.</summary>
    public string Engine => _engine.Description;

    /// <summary>
    /// Creates the engine and restores the state: from the newest valid checkpoint of the store, else from the one that the plan names,
    /// else a new model's. If that fails, everything created is disposed.
    /// </summary>
    /// <param name="settings">The options of all stages.</param>
    /// <param name="plan">The generation, and what it starts from.</param>
    /// <param name="store">The model's own checkpoints; null: it keeps none.</param>
    /// <param name="logger">Told what was restored.</param>
    /// <param name="engines">Creates the engine; null: the one of the settings.</param>
    /// <param name="ranks">The ranks that train the model together; null: this process alone.</param>
    /// <exception cref="StateMismatchException">The checkpoint does not fit the settings, or is another model's.</exception>
    /// <exception cref="InputFileException">The plan names a checkpoint that does not exist or is damaged.</exception>
    /// <exception cref="DamagedCheckpointsException">The store has checkpoints, and every one is damaged.</exception>
    /// <exception cref="UnreadableCheckpointException">A checkpoint cannot be read.</exception>
    public static PipelineState Restore(
        StageOptions settings,
        RunPlan plan,
        CheckpointStore? store,
        ILogger logger,
        Func<TrainingEngine>? engines = null,
        Collective? ranks = null
    )
    {
        ranks ??= new SoloCollective();
        TrainingEngine engine = engines?.Invoke() ?? EngineFactory.Create(settings.Model, settings.Engine, ranks);
        Trainer? trainer = null;
        try
        {
            trainer = new Trainer(engine, settings.RepeatableTraining);
            (IngestState ingest, IReadOnlyList<StreamPosition> positions) =
                store?.FindNewest(ranks) is { } own ? Resume(own, trainer, settings, plan, ranks, logger)
                : plan.From is { } from ? Adopt(CheckpointSource.Open(from), trainer, settings, plan, ranks, logger)
                : Begin(settings, store is not null, logger);
            return new PipelineState(engine, trainer, ingest, positions);
        }
        catch
        {
            trainer?.Dispose();
            engine.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Trainer.Dispose();
        _engine.Dispose();
    }

    private static (IngestState Ingest, IReadOnlyList<StreamPosition> Positions) Resume(
        Checkpoint own,
        Trainer trainer,
        StageOptions settings,
        RunPlan plan,
        Collective ranks,
        ILogger logger
    )
    {
        if (plan is { From: { } ignored, Whole: true })
        {
            PipelineLog.FromLeftAside(logger, ignored);
        }

        try
        {
            own.RestoreTo(trainer, ranks.Rank, ranks.Size);
        }
        catch (StateMismatchException exception)
        {
            throw new StateMismatchException(
                $"{exception.Message} To train a new generation with these settings, starting from this checkpoint, run "
                    + $"`streaming run --generation {plan.Generation + 1}`."
            );
        }

        IngestState ingest = ReadIngest(own, settings, ranks);
        PipelineLog.Restored(logger, own.FolderPath, own.Manifest.Sequence, ingest.Totals.Read);
        return (ingest, own.Manifest.Positions);
    }

    private static (IngestState Ingest, IReadOnlyList<StreamPosition> Positions) Adopt(
        Checkpoint other,
        Trainer trainer,
        StageOptions settings,
        RunPlan plan,
        Collective ranks,
        ILogger logger
    )
    {
        IngestState ingest = ReadIngest(other, settings, ranks);
        WarmStart start = other.AdoptTo(trainer, plan.Whole, ingest.NextSequence - 1);
        PipelineLog.Adopted(logger, other.FolderPath, start.ToString());

        // The other model did not keep features it had no use for, so the catalogue must be read again from its beginning.
        bool again = !other.Model.FeatureGroups.SequenceEqual(settings.Model.FeatureGroups);
        return (ingest, [.. other.Manifest.Positions.Where(position => !again || position.Topic != settings.Kafka.ItemsTopic)]);
    }

    private static (IngestState Ingest, IReadOnlyList<StreamPosition> Positions) Begin(StageOptions settings, bool keeps, ILogger logger)
    {
        PipelineLog.Beginning(logger, keeps ? settings.Checkpoint.Folder : "(none)");
        return (new IngestState(HistoryOf(settings), settings.Dedup), []);
    }

    private static IngestState ReadIngest(Checkpoint checkpoint, StageOptions settings, Collective ranks)
    {
        (HistoryOptions histories, DedupOptions dedup) = (HistoryOf(settings), settings.Dedup);
        return checkpoint.ReadIngest(histories, dedup, ranks.Rank, ranks.Size) ?? new IngestState(histories, dedup);
    }

    // The model reads histories of its own length at least.
    private static HistoryOptions HistoryOf(StageOptions settings) =>
        settings.History with
        {
            Length = Math.Max(settings.History.Length, settings.Model.HistoryLength),
        };
}
