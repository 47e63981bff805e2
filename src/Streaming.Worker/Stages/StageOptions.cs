using Streaming.Core.Dedup;
using Streaming.Core.Histories;
using Streaming.Core.Ingestion;
using Streaming.Learning.Training;
using Streaming.Models.Options;
using Streaming.Transport.Kafka.Clients;
using Streaming.Transport.Redis;
using Streaming.Worker.Engine;
using Streaming.Worker.Generations;

namespace Streaming.Worker.Stages;

/// <summary>The options of everything that a <see cref="Pipeline"/> is made of.</summary>
public record StageOptions
{
    /// <summary>Gets where the events come from.</summary>
    public KafkaOptions Kafka { get; init; } = new();

    /// <summary>Gets what counts as an event.</summary>
    public EventOptions Events { get; init; } = new();

    /// <summary>Gets how events become batches.</summary>
    public BatcherOptions Batching { get; init; } = new();

    /// <summary>Gets what is kept of each user.</summary>
    public HistoryOptions History { get; init; } = new();

    /// <summary>Gets how second deliveries are recognised.</summary>
    public DedupOptions Dedup { get; init; } = new();

    /// <summary>Gets the model.</summary>
    public ModelOptions Model { get; init; } = new();

    /// <summary>Gets what computes the training step.</summary>
    public EngineOptions Engine { get; init; } = new();

    /// <summary>Gets how the model is trained.</summary>
    public TrainerOptions Training { get; init; } = new();

    /// <summary>Gets where the embeddings go.</summary>
    public RedisOptions Redis { get; init; } = new();

    /// <summary>Gets when readers are moved to a new generation.</summary>
    public GenerationOptions Generation { get; init; } = new();

    /// <summary>Gets where and how often the state is kept.</summary>
    public CheckpointOptions Checkpoint { get; init; } = new();

    /// <summary>Gets how the stages work together.</summary>
    public PipelineOptions Pipeline { get; init; } = new();
}
