using Streaming.Core.Events;
using Streaming.Learning.Training;
using Streaming.Transport.Kafka;
using Streaming.Transport.Redis.Publishing;

namespace Streaming.Worker.Metrics;

/// <summary>How the pipeline is at one moment.</summary>
/// <param name="Counts">What became of the records whose batches have been trained on, since the stream's beginning.</param>
/// <param name="Trainer">The trainer's figures.</param>
/// <param name="Source">How reading is going.</param>
/// <param name="Published">The publisher's counters, or null before there is one.</param>
/// <param name="Waiting">Embeddings that wait to be published.</param>
/// <param name="Users">Counters of the users' histories, or null before there are any.</param>
/// <param name="UsersWaiting">Users whose history waits to be published.</param>
/// <param name="Overloaded">Whether a share of the events is not trained on.</param>
/// <param name="EvictingServers">Redis servers that may evict keys when they are full.</param>
/// <param name="Skipped">Good records of the interactions topic that held no event since the start of the process: deleted rows, empty
/// lists.</param>
/// <param name="Recent">What became of the newest thousand events or so.</param>
public sealed record PipelineStatus(
    EventCounts Counts,
    TrainerStatus Trainer,
    KafkaSourceStatus Source,
    PublishMetrics? Published,
    int Waiting,
    PublishMetrics? Users,
    int UsersWaiting,
    bool Overloaded,
    int EvictingServers,
    long Skipped,
    EventCounts Recent
)
{
    /// <summary>Gets the status before there is a pipeline.</summary>
    public static PipelineStatus Empty { get; } =
        new(default, TrainerStatus.Empty, KafkaSourceStatus.None, null, 0, null, 0, false, 0, 0, default);
}
