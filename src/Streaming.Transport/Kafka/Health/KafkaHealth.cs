using Microsoft.Extensions.Logging;
using Streaming.Transport.Kafka.Clients;

namespace Streaming.Transport.Kafka.Health;

/// <summary>What is wrong now, in words. A problem is logged when it begins and when it ends. Any thread.</summary>
internal sealed class KafkaHealth(ILogger logger)
{
    private readonly Lock _gate = new();
    private readonly string[] _texts = [.. Enum.GetValues<KafkaProblem>().Select(static _ => string.Empty)];

    /// <summary>Gets the problems there are, with their words.</summary>
    public IReadOnlyList<(KafkaProblem Kind, string Text)> Problems
    {
        get
        {
            lock (_gate)
            {
                return
                [
                    .. _texts.Select(static (text, kind) => ((KafkaProblem)kind, text)).Where(static problem => problem.text.Length > 0),
                ];
            }
        }
    }

    /// <summary>Gets a value indicating whether no broker can be reached. Cheap: asked for every record.</summary>
    public bool IsUnavailable => Volatile.Read(ref _texts[(int)KafkaProblem.Unavailable]).Length > 0;

    /// <summary>Says what is wrong, or with an empty text that nothing is.</summary>
    public void Set(KafkaProblem kind, string text)
    {
        string before;
        lock (_gate)
        {
            before = _texts[(int)kind];
            Volatile.Write(ref _texts[(int)kind], text);
        }

        // Words that change while it lasts (attempts, seconds) go to the health endpoint alone.
        if (before.Length == 0 && text.Length > 0)
        {
            LogBegin(kind, text);
        }
        else if (before.Length > 0 && text.Length == 0)
        {
            LogEnd(kind, before);
        }
    }

    private void LogBegin(KafkaProblem kind, string text)
    {
        if (kind == KafkaProblem.Unavailable)
        {
            KafkaSourceLog.Unavailable(logger, text);
        }
        else if (kind is KafkaProblem.RejectedEvents or KafkaProblem.RejectedItems)
        {
            KafkaSourceLog.MostRejected(logger, text);
        }
        else
        {
            KafkaSourceLog.Problem(logger, text);
        }
    }

    private void LogEnd(KafkaProblem kind, string before)
    {
        if (kind == KafkaProblem.Unavailable)
        {
            KafkaSourceLog.Available(logger);
        }
        else
        {
            KafkaSourceLog.Resolved(logger, before);
        }
    }
}
