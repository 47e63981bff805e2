using Streaming.Core.Events;

namespace Streaming.Transport.Kafka.Records;

/// <summary>
/// How many records of a topic could not be used for one reason, since the start of the process or the last return to a checkpoint.
/// </summary>
/// <param name="Topic">The topic.</param>
/// <param name="Reason">Why.</param>
/// <param name="Records">How many, 0 and up.</param>
public readonly record struct RejectedRecords(string Topic, DeadLetterReason Reason, long Records);
