namespace Streaming.Transport.Kafka.Native;

/// <summary>librdkafka cannot be loaded. The message names each file tried, why it was refused, and what to do.</summary>
/// <param name="message">The message.</param>
public sealed class KafkaLibraryException(string message) : Exception(message);
