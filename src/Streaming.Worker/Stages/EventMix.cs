using System.Globalization;
using Streaming.Core.Events;

namespace Streaming.Worker.Stages;

/// <summary>Outcomes of about the last thousand events: a stream of which little can be trained on is a problem, whatever its speed.
/// One thread adds, any may read.</summary>
internal sealed class EventMix
{
    /// <summary>Length of the window, in events.</summary>
    public const int Window = 1_000;

    /// <summary>Fewest events for a verdict.</summary>
    private const int Least = 100;

    private readonly Lock _gate = new();
    private readonly Queue<EventCounts> _batches = [];
    private EventCounts _sum;

    /// <summary>Gets the counts of the window.</summary>
    public EventCounts Recent
    {
        get
        {
            lock (_gate)
            {
                return _sum;
            }
        }
    }

    /// <summary>Adds a batch.</summary>
    public void Add(in EventCounts counts)
    {
        if (counts.Read == 0)
        {
            return;
        }

        lock (_gate)
        {
            _batches.Enqueue(counts);
            _sum.Add(counts);
            while (_sum.Read - _batches.Peek().Read >= Window)
            {
                Subtract(_batches.Dequeue());
            }
        }
    }

    /// <summary>
    /// Reports when more than a share of the window is not trained on; events skipped under overload do not count.
    /// </summary>
    /// <param name="most">The share, 0 … 1; 1: never report.</param>
    /// <returns>The problem; empty: none.</returns>
    public string Problem(double most)
    {
        EventCounts recent = Recent;
        long unused = recent.Duplicates + recent.HistoryOnly - recent.Shed + recent.DeadLettered;
        return recent.Read < Least || unused <= most * recent.Read
            ? string.Empty
            : string.Create(
                CultureInfo.InvariantCulture,
                $"of the last {recent.Read} events {recent.Duplicates} are duplicates, {recent.HistoryOnly - recent.Shed} too late or "
                    + $"of a type with weight 0, {recent.DeadLettered} dead letters; {recent.Trained} are trained on"
            );
    }

    private void Subtract(in EventCounts counts)
    {
        _sum.Read -= counts.Read;
        _sum.Decoded -= counts.Decoded;
        _sum.Trained -= counts.Trained;
        _sum.HistoryOnly -= counts.HistoryOnly;
        _sum.Shed -= counts.Shed;
        _sum.DeadLettered -= counts.DeadLettered;
        _sum.Duplicates -= counts.Duplicates;
    }
}
