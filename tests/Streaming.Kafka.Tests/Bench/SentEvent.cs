namespace Streaming.Kafka.Tests.Bench;

/// <summary>A record acknowledged by the broker.</summary>
/// <param name="Partition">Its partition.</param>
/// <param name="Offset">Its offset.</param>
/// <param name="Fate">Its expected effect.</param>
/// <param name="Item">Its item.</param>
internal sealed record SentEvent(int Partition, long Offset, Fate Fate, string Item);

/// <summary>The expected effect of an event.</summary>
internal enum Fate
{
    /// <summary>It is trained on.</summary>
    Train,

    /// <summary>It only enters the user's history.</summary>
    Silent,

    /// <summary>It becomes a dead letter.</summary>
    Dead,
}
