namespace Streaming.Kafka.Tests.Bench;

/// <summary>A record that the broker has taken.</summary>
/// <param name="Partition">Its partition.</param>
/// <param name="Offset">Its offset.</param>
/// <param name="Fate">What it must do.</param>
/// <param name="Item">The item that it is of.</param>
internal sealed record SentEvent(int Partition, long Offset, Fate Fate, string Item);

/// <summary>What an event must do.</summary>
internal enum Fate
{
    /// <summary>It is trained on.</summary>
    Train,

    /// <summary>It enters the user's history alone.</summary>
    Silent,

    /// <summary>It becomes a dead letter.</summary>
    Dead,
}
