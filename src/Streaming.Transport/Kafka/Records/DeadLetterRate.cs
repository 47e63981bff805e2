using Streaming.Core.Events;
using Streaming.Transport.Kafka.Clients;

namespace Streaming.Transport.Kafka.Records;

/// <summary>Stops the worker when too many of the newest records are dead letters: then the producer is broken, and going
/// on would drain the stream into the dead-letter topic.</summary>
internal sealed class DeadLetterRate(double max, int window)
{
    private readonly bool[] _isDead = new bool[window];
    private int _next;
    private int _seen;
    private int _dead;

    /// <summary>Counts a record.</summary>
    /// <exception cref="KafkaSourceException">The window is full and the share of dead letters in it is above the allowed one.</exception>
    public void Count(DeadLetterReason reason)
    {
        bool isDead = reason != DeadLetterReason.None;
        _dead += (isDead ? 1 : 0) - (_isDead[_next] ? 1 : 0);
        _isDead[_next] = isDead;
        _next = _next + 1 == _isDead.Length ? 0 : _next + 1;
        _seen = Math.Min(_seen + 1, _isDead.Length);
        if (isDead && _seen == _isDead.Length && _dead > max * _isDead.Length)
        {
            throw new KafkaSourceException(
                $"{_dead} of the newest {_isDead.Length} records were dead letters, the last for {reason}; STREAMING__Kafka__MaxDeadLetterRate allows {max:P1}. "
                + "Look at the dead-letter topic, fix the producer or the format settings, and start again.");
        }
    }
}
