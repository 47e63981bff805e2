using System.Globalization;
using Streaming.Transport.Kafka.Clients;

namespace Streaming.Transport.Kafka.DeadLetters;

/// <summary>A place in the dead-letter topic: an offset in each partition, or a time.</summary>
public readonly record struct DeadLetterPoint
{
    /// <summary>What <see cref="TryParse"/> reads.</summary>
    public const string Allowed = "an offset, or an ISO 8601 time with a zone such as 2026-03-01T06:00:00Z";

    /// <summary>Gets the offset; null: it is a time.</summary>
    public long? Offset { get; private init; }

    /// <summary>Gets the time at which dead letters were sent; null: it is an offset.</summary>
    public DateTimeOffset? Time { get; private init; }

    /// <summary>Reads one.</summary>
    /// <returns>False when it is not one of <see cref="Allowed"/>.</returns>
    public static bool TryParse(string text, out DeadLetterPoint point)
    {
        ArgumentNullException.ThrowIfNull(text);
        bool isOffset = long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long offset);
        point = isOffset ? new DeadLetterPoint { Offset = offset } : default;
        if (!isOffset && KafkaStart.TryParse(text, out KafkaStart start) && start.Time is { } time)
        {
            point = new DeadLetterPoint { Time = time };
            return true;
        }

        return isOffset;
    }
}
