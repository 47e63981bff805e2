namespace Streaming.Kernels.Tests;

/// <summary>What a kernel allocates at every call.</summary>
internal static class Allocations
{
    private const int Stretches = 5;

    /// <summary>Bytes that the calling thread allocates in a run, the least of some runs after a first.</summary>
    /// <remarks>
    /// What is allocated once is not in all of them: a thread's scratch memory, which comes with the first part that the
    /// thread gets, and that need not be in the first run; or what the runtime allocates when it compiles a method anew.
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
