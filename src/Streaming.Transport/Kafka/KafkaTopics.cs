using Confluent.Kafka;
using Microsoft.Extensions.Logging;
using Polly;
using Polly.Retry;

namespace Streaming.Transport;

/// <summary>Asks the cluster how many partitions a topic has, again and again while the cluster is away.</summary>
internal sealed class KafkaTopics : IDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);
    private readonly IAdminClient _admin;
    private readonly ResiliencePipeline _retry;
    private readonly ILogger _logger;
    private string _topic = string.Empty;

    public KafkaTopics(KafkaOptions options, Action<Error> onError, TimeProvider time, ILogger logger)
    {
        _logger = logger;
        _admin = new AdminClientBuilder(KafkaClientSettings.Admin(options))
            .SetErrorHandler((_, error) => onError(error))
            .SetLogHandler((_, line) => KafkaClientLog.Pass(line, onError))
            .Build();
        _retry = new ResiliencePipelineBuilder { TimeProvider = time }
            .AddRetry(new RetryStrategyOptions
            {
                ShouldHandle = new PredicateBuilder().Handle<KafkaException>(static exception => !exception.Error.IsFatal),
                MaxRetryAttempts = int.MaxValue,
                BackoffType = DelayBackoffType.Exponential,
                Delay = TimeSpan.FromMilliseconds(200),
                MaxDelay = TimeSpan.FromSeconds(5),
                UseJitter = true,
                OnRetry = retry =>
                {
                    KafkaSourceLog.MetadataRetry(_logger, _topic, retry.AttemptNumber + 1, retry.Outcome.Exception?.Message ?? string.Empty);
                    return default;
                },
            })
            .Build();
    }

    /// <summary>Waits for the cluster and gives the number of partitions; 0: there is no such topic.</summary>
    public int WaitForPartitionCount(string topic, CancellationToken cancellationToken)
    {
        _topic = topic;
        return _retry.Execute(static (state, _) => state.Self.PartitionCount(state.Topic, Timeout), (Self: this, Topic: topic), cancellationToken);
    }

    /// <summary>Gives the number of partitions, or null when the cluster does not answer in time.</summary>
    public int? TryGetPartitionCount(string topic, TimeSpan timeout)
    {
        try
        {
            return PartitionCount(topic, timeout);
        }
        catch (KafkaException)
        {
            return null;
        }
    }

    public void Dispose() => _admin.Dispose();

    private int PartitionCount(string topic, TimeSpan timeout)
    {
        // Of all topics: a broker may create a topic that is asked for by its name.
        TopicMetadata? metadata = _admin.GetMetadata(timeout).Topics.Find(candidate => candidate.Topic == topic);
        return metadata is null || metadata.Error.Code is ErrorCode.UnknownTopicOrPart ? 0
            : metadata.Error.IsError ? throw new KafkaException(metadata.Error)
            : metadata.Partitions.Count;
    }
}
