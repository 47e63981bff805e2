namespace Streaming.Learning.Ranks;

/// <summary>A world of one rank: every operation is a copy.</summary>
public sealed class SoloCollective() : Collective(0, 1)
{
    /// <inheritdoc/>
    protected override void Wait() { }

    /// <inheritdoc/>
    protected override void GatherBytes(ReadOnlySpan<byte> own, Span<byte> all, ReadOnlySpan<int> counts) => own.CopyTo(all);

    /// <inheritdoc/>
    protected override void ExchangeBytes(
        ReadOnlySpan<byte> send,
        ReadOnlySpan<int> sendCounts,
        Span<byte> receive,
        ReadOnlySpan<int> receiveCounts
    ) => send.CopyTo(receive);

    /// <inheritdoc/>
    protected override void BroadcastBytes(Span<byte> values, int root) { }
}
