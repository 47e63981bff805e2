namespace Streaming.Kernels.Tests;

/// <summary>Measures what a kernel allocates on every call.</summary>
internal static class Allocations
{
    private const int Stretches = 5;

    /// <summary>Bytes allocated by the calling thread in a run, the minimum of several runs after a first.</summary>
    /// <remarks>
    /// The minimum excludes one-time allocations: a thread's scratch memory, which is allocated with the first part that the
    /// thread receives, not necessarily in the first run; and what the runtime allocates when it recompiles a method.
    /// </remarks>
    public static long OfARun(Action run)
    {
        run();
        long least = long.MaxValue;
        for (int stretch = 0; stretch < Stretches; stretch++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            run();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        return least;
    }
}
