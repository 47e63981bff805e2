namespace Streaming.Transport.Kafka.Native;

/// <summary>librdkafka cannot be loaded: the message names each file that was tried, why it was refused, and what to do.</summary>
/// <param name="message">That.</param>
public sealed class KafkaLibraryException(string message) : Exception(message);
