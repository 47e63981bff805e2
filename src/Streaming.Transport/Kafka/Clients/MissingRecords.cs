namespace Streaming.Transport.Kafka.Clients;

/// <summary>Records that the broker had deleted before they were read.</summary>
/// <param name="Topic">Topic name.</param>
/// <param name="Records">How many, since the start of the process or of the last return to a checkpoint.</param>
public readonly record struct MissingRecords(string Topic, long Records);
