namespace Streaming.Transport.Kafka.Clients;

/// <summary>Reading cannot go on, and waiting would not help: what the stream holds cannot be used. The message says what is
/// wrong and what to do.</summary>
public class KafkaSourceException : Exception
{
    /// <summary>Creates the exception.</summary>
    public KafkaSourceException() { }

    /// <summary>Creates the exception.</summary>
    public KafkaSourceException(string message)
        : base(message) { }

    /// <summary>Creates the exception.</summary>
    public KafkaSourceException(string message, Exception? innerException)
        : base(message, innerException) { }
}
