using System.Runtime.InteropServices;
using Streaming.Learning.Ranks;

namespace Streaming.Benchmarks;

/// <summary>Measures a rank's CPU time outside of what a transport does: the sums of received values count as the rank's work.</summary>
internal sealed class MeasuredCollective(Collective inner) : Collective(inner.Rank, inner.Size)
{
    private const int ThreadClock = 3; // CLOCK_THREAD_CPUTIME_ID
    private long _inside;

    /// <summary>Gets the calling thread's CPU time outside of the transport, in seconds.</summary>
    public double Seconds => (Now() - _inside) / 1e9;

    protected override void Wait()
    {
        long begun = Now();
        inner.Barrier();
        _inside += Now() - begun;
    }

    protected override void GatherBytes(ReadOnlySpan<byte> own, Span<byte> all, ReadOnlySpan<int> counts)
    {
        long begun = Now();
        inner.Gather(own, all, counts);
        _inside += Now() - begun;
    }

    protected override void ExchangeBytes(
        ReadOnlySpan<byte> send,
        ReadOnlySpan<int> sendCounts,
        Span<byte> receive,
        ReadOnlySpan<int> receiveCounts
    )
    {
        long begun = Now();
        inner.Exchange(send, sendCounts, receive, receiveCounts);
        _inside += Now() - begun;
    }

    protected override void BroadcastBytes(Span<byte> values, int root)
    {
        long begun = Now();
        inner.Broadcast(values, root);
        _inside += Now() - begun;
    }

    private static long Now()
    {
        _ = GetTime(ThreadClock, out Timespec time);
        return (time.Seconds * 1_000_000_000) + time.Nanoseconds;
    }

    [DllImport("libc", EntryPoint = "clock_gettime")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int GetTime(int clock, out Timespec time);

    private readonly record struct Timespec(long Seconds, long Nanoseconds);
}
