using System.Diagnostics;
using System.Runtime.CompilerServices;
using Streaming.Learning.Ranks;
using Streaming.Tests;

namespace Streaming.Ranks.Tests;

/// <summary>What a process of a job does.</summary>
internal static class RankProcess
{
    public static int Run(string task)
    {
        Collective ranks = MpiWorld.Join();
        int code = Run(task, ranks);

        // A rank that fails leaves by its exit code; the launcher ends the others.
        if (code == 0)
        {
            ranks.Dispose();
        }

        return code;
    }

    private static int Run(string task, Collective ranks)
    {
        switch (task)
        {
            case "contract":
                CollectiveContract.Verify(ranks);
                Console.WriteLine($"rank {ranks.Rank} of {ranks.Size} keeps the contract");
                return 0;
            case "steps":
                Console.WriteLine($"rank {ranks.Rank}: {SharedSteps.Run(ranks)}");
                return 0;
            case "exit" when ranks.Rank == 1:
                return 3;
            case "throw" when ranks.Rank == 1:
                throw new InvalidDataException("rank 1 has a reason");
            case "kill" when ranks.Rank == 1:
                Process.GetCurrentProcess().Kill();
                return 0;
            case "null":
                return CatchNull(ranks);
            case "exit" or "throw" or "kill":
                return WaitFor(ranks);
            default:
                return 64;
        }
    }

    // Open MPI installs signal handlers, and the runtime's of SIGSEGV has to stay.
    private static int CatchNull(Collective ranks)
    {
        try
        {
            return Length(null!);
        }
        catch (NullReferenceException)
        {
            Console.WriteLine($"rank {ranks.Rank} caught it");
            return 0;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int Length(string text) => text.Length;

    private static int WaitFor(Collective ranks)
    {
        ranks.Barrier();
        return 0;
    }
}
