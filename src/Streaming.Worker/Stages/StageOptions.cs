using Streaming.Core.Dedup;
using Streaming.Core.Histories;
using Streaming.Core.Ingestion;
using Streaming.Core.Items;
using Streaming.Learning.Training;
using Streaming.Models.Options;
using Streaming.Transport.Kafka.Clients;
using Streaming.Transport.Redis;
using Streaming.Worker.Engine;
using Streaming.Worker.Generations;

namespace Streaming.Worker.Stages;

/// <summary>The options of all parts of a <see cref="Pipeline"/>.</summary>
public record StageOptions
{
    /// <summary>Gets how to reach Kafka.</summary>
    public KafkaOptions Kafka { get; init; } = new();

    /// <summary>Gets which events count.</summary>
    public EventOptions Events { get; init; } = new();

    /// <summary>Gets how events become batches.</summary>
    public BatcherOptions Batching { get; init; } = new();

    /// <summary>Gets what is kept of each user's history.</summary>
    public HistoryOptions History { get; init; } = new();

    /// <summary>Gets how duplicates are recognized.</summary>
    public DedupOptions Dedup { get; init; } = new();

    /// <summary>Gets the model.</summary>
    public ModelOptions Model { get; init; } = new();

    /// <summary>Gets what computes the training step.</summary>
    public EngineOptions Engine { get; init; } = new();

    /// <summary>Gets how the model is trained.</summary>
    public TrainerOptions Training { get; init; } = new();

    /// <summary>Gets how the model is trained in this combination: where batches do not depend on the clock, neither does what is scored,
    /// so that a run can be repeated bit by bit.</summary>
    internal TrainerOptions RepeatableTraining =>
        Batching.IsRepeatable && Training.EvaluateEvery == 0 ? Training with { EvaluateEvery = 1 } : Training;

    /// <summary>Gets what is published of items in addition to embeddings.</summary>
    public ItemOptions Items { get; init; } = new();

    /// <summary>Gets where embeddings are published.</summary>
    public RedisOptions Redis { get; init; } = new();

    /// <summary>Gets when readers are moved to a new generation.</summary>
    public GenerationOptions Generation { get; init; } = new();

    /// <summary>Gets where and how often checkpoints are written.</summary>
    public CheckpointOptions Checkpoint { get; init; } = new();

    /// <summary>Gets how the ranks of a job work together.</summary>
    public RankOptions Ranks { get; init; } = new();

    /// <summary>Gets how the stages work together.</summary>
    public PipelineOptions Pipeline { get; init; } = new();
}
