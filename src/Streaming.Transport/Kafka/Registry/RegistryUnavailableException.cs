namespace Streaming.Transport.Kafka.Registry;

/// <summary>The schema registry did not answer, or refused to. The message says which and why; trying again later may help.</summary>
internal sealed class RegistryUnavailableException(string message, Exception? inner = null) : Exception(message, inner);
