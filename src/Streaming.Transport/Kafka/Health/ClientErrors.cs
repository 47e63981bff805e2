using Confluent.Kafka;
using Microsoft.Extensions.Logging;
using Streaming.Transport.Kafka.Clients;
using Streaming.Transport.Kafka.Topics;

namespace Streaming.Transport.Kafka.Health;

/// <summary>Sorts what the clients report: outages, refusals, and the rest, which is logged. Any thread.</summary>
/// <param name="options">The group, and whether it assigns partitions.</param>
/// <param name="health">Told what is wrong.</param>
/// <param name="lookAgain">Asks for a look at the topics, and gives its number.</param>
/// <param name="logger">Log.</param>
internal sealed class ClientErrors(KafkaOptions options, KafkaHealth health, Func<long> lookAgain, ILogger logger)
{
    private string _lastTransportError = string.Empty;
    private long _outageEndsWith;
    private int _toldOfGroup;

    /// <summary>Takes an error in.</summary>
    public void Report(Error error)
    {
        switch (error.Code)
        {
            case ErrorCode.Local_AllBrokersDown:
                BeginOutage(error.Reason);
                break;
            case ErrorCode.GroupAuthorizationFailed:
                RefuseGroup(error.Reason);
                break;
            case ErrorCode.Local_Transport
            or ErrorCode.Local_Resolve
            or ErrorCode.Local_Ssl
            or ErrorCode.Local_Authentication
            or ErrorCode.SaslAuthenticationFailed:
                Volatile.Write(ref _lastTransportError, error.Reason);
                Log(error);
                break;
            case ErrorCode.UnknownTopicOrPart or ErrorCode.UnknownTopicId or ErrorCode.TopicAuthorizationFailed:
                lookAgain(); // What is wrong is said in the topic's own words.
                break;
            default:
                Log(error);
                break;
        }
    }

    /// <summary>Takes a look's outcome in: a cluster that answers is there, one that does not is not.</summary>
    public void Observe(TopicReport report)
    {
        if (report.IsAnswered && report.Number >= Volatile.Read(ref _outageEndsWith))
        {
            EndOutage();
        }
        else if (report.Failure.Length > 0)
        {
            BeginOutage(report.Failure);
        }
    }

    /// <summary>Says that the cluster is there: a record has come.</summary>
    public void EndOutage()
    {
        if (health.IsUnavailable)
        {
            health.Set(KafkaProblem.Unavailable, string.Empty);
            Volatile.Write(ref _lastTransportError, string.Empty);
        }
    }

    // That all brokers are down says nothing of why; the error before it does.
    private void BeginOutage(string reason)
    {
        Volatile.Write(ref _outageEndsWith, lookAgain());
        string cause = Volatile.Read(ref _lastTransportError);
        health.Set(KafkaProblem.Unavailable, cause.Length > 0 ? cause : $"no answer from {options.BootstrapServers}: {reason}");
    }

    // Without a group's assignment the group serves lag dashboards only.
    private void RefuseGroup(string reason)
    {
        if (options.Assignment == KafkaAssignment.Group)
        {
            health.Set(KafkaProblem.Group, $"not authorized to access group '{options.GroupId}' ({reason})");
        }
        else if (Interlocked.Exchange(ref _toldOfGroup, 1) == 0)
        {
            KafkaSourceLog.NoCommits(logger, options.GroupId, reason);
        }
    }

    private void Log(Error error)
    {
        if (!health.IsUnavailable)
        {
            KafkaSourceLog.ClientError(logger, error.Reason, error.Code.ToString());
        }
    }
}
