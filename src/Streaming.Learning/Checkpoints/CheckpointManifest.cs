using Streaming.Core.Positions;
using Streaming.Learning.Training;
using Streaming.Models.Options;

namespace Streaming.Learning.Checkpoints;

/// <summary>Metadata of a checkpoint: <c>manifest.json</c>.</summary>
public sealed record CheckpointManifest
{
    /// <summary>The highest format version that this program reads.</summary>
    public const int CurrentFormat = 2;

    /// <summary>The largest number of ranks whose checkpoint is read.</summary>
    internal const int MaxRanks = 4096;

    /// <summary>Gets the format version: 1, the files of one rank; 2, those of several.</summary>
    public int Format { get; init; } = 1;

    /// <summary>Gets the number of ranks that wrote it.</summary>
    public int Ranks { get; init; } = 1;

    /// <summary>Gets when it was written.</summary>
    public DateTimeOffset Written { get; init; }

    /// <summary>Gets the fencing token of the trainer that wrote it; 0 when there was none.</summary>
    public uint Token { get; init; }

    /// <summary>Gets the number of training steps of the model.</summary>
    public long Step { get; init; }

    /// <summary>Gets the number of the last batch that it contains; −1 before the first.</summary>
    public long Sequence { get; init; }

    /// <summary>Gets the counters of the trainer.</summary>
    public TrainerCounters Counters { get; init; }

    /// <summary>Gets the model's shape and hyper-parameters; null in a checkpoint that predates them.</summary>
    public ModelOptions? Model { get; init; }

    /// <summary>Gets whose state this is; null in a checkpoint from before this was kept, and in one of a backtest.</summary>
    public CheckpointOwner? Owner { get; init; }

    /// <summary>Gets the generation of the embedding space.</summary>
    public uint Generation { get; init; } = 1;

    /// <summary>Gets the settings that must match to read it, by name.</summary>
    public IReadOnlyDictionary<string, string> Shape { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Gets the next offset of each partition, of all ranks.</summary>
    public IReadOnlyList<StreamPosition> Positions { get; init; } = [];

    /// <summary>Gets whether it includes the ingestion state (histories, dedup window).</summary>
    public bool HasIngest { get; init; }
}
