using Streaming.Core.Events;
using Streaming.Transport.Kafka.Clients;

namespace Streaming.Transport.Kafka.Records;

/// <summary>Stops the worker when too many of the newest records of a topic are dead letters: then the producer is broken, and going
/// on would drain the stream into the dead-letter topic. Before there are so many, it says so.</summary>
internal sealed class DeadLetterRate(string topic, double max, int window)
{
    private readonly bool[] _isDead = new bool[window];
    private int _next;
    private int _seen;
    private int _dead;
    private string _last = string.Empty;

    /// <summary>Gets what is wrong, of however few records; empty: no more of the newest are dead letters than allowed.</summary>
    public string Problem =>
        _dead > 0 && (_dead > max * _seen || _dead == _seen)
            ? FormattableString.Invariant($"{_dead} of the newest {_seen} records of topic '{topic}' are dead letters, the last: {_last}")
            : string.Empty;

    /// <summary>Counts a record.</summary>
    /// <param name="reason">Why it is refused, or <see cref="DeadLetterReason.None"/>.</param>
    /// <param name="explanation">The same in words.</param>
    /// <exception cref="KafkaSourceException">The window is full and the share of dead letters in it is above the allowed one.</exception>
    public void Count(DeadLetterReason reason, string explanation)
    {
        bool isDead = reason != DeadLetterReason.None;
        _dead += (isDead ? 1 : 0) - (_isDead[_next] ? 1 : 0);
        _isDead[_next] = isDead;
        _next = _next + 1 == _isDead.Length ? 0 : _next + 1;
        _seen = Math.Min(_seen + 1, _isDead.Length);
        if (!isDead)
        {
            return;
        }

        _last = $"{reason}, {explanation}";
        if (_seen == _isDead.Length && _dead > max * _isDead.Length)
        {
            throw new KafkaSourceException(
                $"{_dead} of the newest {_isDead.Length} records of topic '{topic}' were dead letters, the last: {_last}. "
                    + $"STREAMING__Kafka__MaxDeadLetterRate allows {max:P1}. "
                    + "`streaming dead-letters` lists them; fix the producer or the format settings, and start again."
            );
        }
    }
}
