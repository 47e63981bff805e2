using Streaming.Core.Events;

namespace Streaming.Transport.Kafka.Records;

/// <summary>How many records of a topic could not be used, by reason. Any thread.</summary>
internal sealed class RejectionCounts(string topic)
{
    private static readonly DeadLetterReason[] Reasons = Enum.GetValues<DeadLetterReason>();
    private readonly long[] _counts = new long[Reasons.Length];

    /// <summary>Gets the number of records with this reason.</summary>
    public long this[DeadLetterReason reason] => Volatile.Read(ref _counts[(int)reason]);

    /// <summary>Gets the number of records.</summary>
    public long Total => Reasons.Sum(reason => this[reason]);

    /// <summary>Counts a record.</summary>
    public void Add(DeadLetterReason reason) => Interlocked.Increment(ref _counts[(int)reason]);

    /// <summary>All counts, those of 0 among them.</summary>
    public IEnumerable<RejectedRecords> All() =>
        Reasons.Where(static reason => reason != DeadLetterReason.None).Select(reason => new RejectedRecords(topic, reason, this[reason]));
}
