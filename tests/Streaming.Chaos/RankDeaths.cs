using System.Diagnostics;

namespace Streaming.Chaos;

/// <summary>The deaths of jobs of many ranks: a rank is killed, or the launcher, or a rank is frozen. Whatever it is, the whole job must
/// end by itself, and leave no process behind.</summary>
internal sealed class RankDeaths(Random random)
{
    /// <summary>How long the other ranks wait for a frozen one: the value of STREAMING__Ranks__Timeout.</summary>
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    private const int Unavailable = 69;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    /// <summary>Gets how many ranks were killed.</summary>
    public int Killed { get; private set; }

    /// <summary>Gets how many launchers were killed.</summary>
    public int Launchers { get; private set; }

    /// <summary>Gets how many ranks were frozen.</summary>
    public int Frozen { get; private set; }

    /// <summary>Lets a job die.</summary>
    /// <param name="worker">The job.</param>
    /// <param name="mayFreeze">Whether the ranks have begun: before, they wait for a frozen one as for one that reads a large
    /// checkpoint.</param>
    /// <exception cref="InvalidOperationException">The job did not end as it must.</exception>
    public async Task DieAsync(WorkerProcess worker, bool mayFreeze)
    {
        (int launcher, int[] ranks) = worker.Job;
        if (ranks.Length == 0)
        {
            // Not even started yet.
            worker.Kill();
            return;
        }

        int victim = ranks[random.Next(ranks.Length)];
        int kind = random.Next(4);
        if (kind == 0)
        {
            Launchers++;
            await WorkerProcess.SignalAsync(launcher, "KILL").ConfigureAwait(false);
        }
        else if (kind == 1 && mayFreeze)
        {
            Frozen++;
            await WorkerProcess.SignalAsync(victim, "STOP").ConfigureAwait(false);
        }
        else
        {
            Killed++;
            await WorkerProcess.SignalAsync(victim, "KILL").ConfigureAwait(false);
        }

        await worker.EndAsync(Limit).ConfigureAwait(false);
        if (worker.ExitCode == 0 || (kind == 1 && mayFreeze && worker.ExitCode != Unavailable))
        {
            throw new InvalidOperationException($"A job of which {Names(kind)} was struck ended with exit code {worker.ExitCode}.");
        }

        await UntilGoneAsync(ranks, kind).ConfigureAwait(false);
    }

    private static async Task UntilGoneAsync(int[] ranks, int kind)
    {
        long begun = Stopwatch.GetTimestamp();
        while (ranks.Where(IsAlive).ToArray() is { Length: > 0 } left)
        {
            if (Stopwatch.GetElapsedTime(begun) > Limit)
            {
                throw new InvalidOperationException($"{Names(kind)} was struck; still running are {string.Join(", ", left)}.");
            }

            await Task.Delay(20).ConfigureAwait(false);
        }
    }

    private static string Names(int kind) => kind == 0 ? "the launcher" : "a rank";

    private static bool IsAlive(int process)
    {
        try
        {
            // State Z: dead, and not yet waited for.
            string status = File.ReadAllText($"/proc/{process}/stat");
            return status[status.LastIndexOf(')') + 2] != 'Z';
        }
        catch (IOException)
        {
            return false;
        }
    }
}
