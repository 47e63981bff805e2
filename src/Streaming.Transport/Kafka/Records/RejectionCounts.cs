using Streaming.Core.Events;

namespace Streaming.Transport.Kafka.Records;

/// <summary>How many records could not be used, by reason. Any thread.</summary>
internal sealed class RejectionCounts
{
    private readonly long[] _counts = new long[Enum.GetValues<DeadLetterReason>().Length];

    /// <summary>Gets the number of records with this reason.</summary>
    public long this[DeadLetterReason reason] => Volatile.Read(ref _counts[(int)reason]);

    /// <summary>Counts a record.</summary>
    public void Add(DeadLetterReason reason) => Interlocked.Increment(ref _counts[(int)reason]);
}
