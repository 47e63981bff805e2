namespace Streaming.Transport.Kafka.Clients;

/// <summary>Kafka refuses what this program needs, or its client gave up: waiting longer would not help. The message says what was
/// refused and what to do.</summary>
public class KafkaUnavailableException : Exception
{
    /// <summary>Creates the exception.</summary>
    public KafkaUnavailableException() { }

    /// <summary>Creates the exception.</summary>
    public KafkaUnavailableException(string message)
        : base(message) { }

    /// <summary>Creates the exception.</summary>
    public KafkaUnavailableException(string message, Exception? innerException)
        : base(message, innerException) { }
}
