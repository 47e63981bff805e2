using System.Globalization;

namespace Streaming.Transport.Kafka.Clients;

/// <summary>Where a model that has seen nothing yet starts to read: the oldest record, the end, or a point in time.</summary>
internal sealed record KafkaStart
{
    /// <summary>What <see cref="TryParse"/> reads.</summary>
    public const string Allowed = "earliest, latest, or an ISO 8601 time with a zone such as 2026-03-01T06:00:00Z";

    private const string Earliest = "earliest";
    private const string Latest = "latest";

    // A time without a zone would mean another record on every machine.
    private static readonly string[] Formats = ["yyyy-MM-dd'T'HH:mmK", "yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK"];

    private KafkaStart() { }

    /// <summary>Gets a value indicating whether reading starts at the oldest record.</summary>
    public bool IsEarliest { get; private init; }

    /// <summary>Gets the time from which on records are read; null with <see cref="IsEarliest"/> or for the end.</summary>
    public DateTimeOffset? Time { get; private init; }

    /// <summary>Reads a setting's text.</summary>
    /// <returns>False when it is not one of <see cref="Allowed"/>.</returns>
    public static bool TryParse(string text, out KafkaStart start)
    {
        start = new KafkaStart { IsEarliest = text.Equals(Earliest, StringComparison.OrdinalIgnoreCase) };
        if (start.IsEarliest || text.Equals(Latest, StringComparison.OrdinalIgnoreCase))
        {
            return true;
        }

        bool isTime =
            HasZone(text)
            & DateTimeOffset.TryParseExact(text, Formats, CultureInfo.InvariantCulture, DateTimeStyles.None, out DateTimeOffset time);
        start = new KafkaStart { Time = time };
        return isTime && time >= DateTimeOffset.UnixEpoch;
    }

    private static bool HasZone(string text) => text.EndsWith('Z') || (text.Length > 6 && text[^6] is '+' or '-' && text[^3] == ':');
}
