using System.Diagnostics;

namespace Streaming.Chaos;

/// <summary>The deaths of jobs of many ranks: a rank is killed, or the launcher, or a rank is frozen, or the link between the hosts is
/// cut. Whatever it is, the whole job must end by itself, and leave no process behind.</summary>
/// <param name="random">Draws the deaths.</param>
/// <param name="hosts">Where the ranks run; null: on this machine.</param>
internal sealed class RankDeaths(Random random, RankHosts? hosts)
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

    /// <summary>Gets how often the link between the hosts was cut.</summary>
    public int Cut { get; private set; }

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
        Death death = Draw(mayFreeze);
        switch (death)
        {
            case Death.OfTheLauncher:
                Launchers++;
                await WorkerProcess.SignalAsync(launcher, "KILL").ConfigureAwait(false);
                break;
            case Death.OfARank:
                Killed++;
                await WorkerProcess.SignalAsync(victim, "KILL").ConfigureAwait(false);
                break;
            case Death.Freeze:
                Frozen++;
                await WorkerProcess.SignalAsync(victim, "STOP").ConfigureAwait(false);
                break;
            default:
                Cut++;
                await hosts!.CutAsync().ConfigureAwait(false);
                break;
        }

        if (death == Death.OfTheLink)
        {
            // The launcher waits for what it started on the other host: its ranks end by themselves, it when the link is back.
            await UntilGoneAsync(ranks, death).ConfigureAwait(false);
            await hosts!.MendAsync().ConfigureAwait(false);
        }

        await worker.EndAsync(Limit).ConfigureAwait(false);
        if (worker.ExitCode == 0 || (death == Death.Freeze && worker.ExitCode != Unavailable))
        {
            throw new InvalidOperationException($"A job ended with exit code {worker.ExitCode} ({death}).");
        }

        await UntilGoneAsync(ranks, death).ConfigureAwait(false);
    }

    private Death Draw(bool mayFreeze) =>
        random.Next(hosts is null ? 4 : 5) switch
        {
            0 => Death.OfTheLauncher,
            1 when mayFreeze => Death.Freeze,
            4 when mayFreeze => Death.OfTheLink,
            _ => Death.OfARank,
        };

    private static async Task UntilGoneAsync(int[] ranks, Death death)
    {
        long begun = Stopwatch.GetTimestamp();
        while (ranks.Where(IsAlive).ToArray() is { Length: > 0 } left)
        {
            if (Stopwatch.GetElapsedTime(begun) > Limit)
            {
                throw new InvalidOperationException($"{death}: still running are {string.Join(", ", left)}.");
            }

            await Task.Delay(20).ConfigureAwait(false);
        }
    }

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

    private enum Death
    {
        OfTheLauncher,
        OfARank,
        Freeze,
        OfTheLink,
    }
}
