using Microsoft.Extensions.Logging;
using StackExchange.Redis;
using Streaming.Learning.Ranks;
using Streaming.Worker.Failures;

namespace Streaming.Worker.Stages;

/// <summary>
/// Ends the job when a rank does not answer: a frozen process keeps the others waiting, and no launcher notices. Each rank tells in Redis
/// once a second how many operations it has begun, so that those who wait can name the one that they wait for.
/// </summary>
/// <remarks>Before the first step a long wait is no sign of a fault: a rank may still read its checkpoint, or wait for the lease. Then
/// only a rank that has told nothing for as long, while Redis answers, ends the job.</remarks>
/// <param name="ranks">The ranks.</param>
/// <param name="timeout">How long an operation may take.</param>
/// <param name="redis">The store.</param>
/// <param name="key">Where the ranks of this job tell it.</param>
/// <param name="time">Clock.</param>
/// <param name="logger">Log.</param>
internal sealed class RankWatchdog(Collective ranks, TimeSpan timeout, IDatabase redis, RedisKey key, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan KeptFor = TimeSpan.FromHours(1);
    private readonly string _name = $"{Environment.MachineName}:{Environment.ProcessId}";
    private readonly RankBeats _beats = new(ranks.Size, time);
    private long _beat;

    /// <summary>Watches until told to stop.</summary>
    /// <param name="isRunning">Whether the ranks have begun: each has read its checkpoint.</param>
    /// <param name="ended">Stops it.</param>
    public async Task RunAsync(Func<bool> isRunning, CancellationToken ended)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(ended).ConfigureAwait(false))
        {
            Tell();
            if (ranks.Waiting > timeout && await MissingAsync(isRunning()).ConfigureAwait(false) is { Length: > 0 } missing)
            {
                PipelineLog.RankMissing(logger, ranks.Rank, ranks.Size, timeout.TotalSeconds, missing);
                ranks.Abort((int)ExitCode.Unavailable);
                return;
            }
        }
    }

    /// <summary>The ranks that have begun the fewest operations.</summary>
    internal static string Behind(IReadOnlyList<RankBeat> told, int ranks)
    {
        string[] silent = [.. Enumerable.Range(0, ranks).Except(told.Select(static one => one.Rank)).Select(static rank => $"rank {rank}")];
        if (silent.Length > 0)
        {
            return string.Join(", ", silent);
        }

        long fewest = told.Min(static one => one.Operations);
        return string.Join(", ", told.Where(one => one.Operations == fewest).Select(static one => one.Name));
    }

    private void Tell()
    {
        var beat = new RankBeat(ranks.Rank, ranks.Operations, ++_beat, _name);
        redis.HashSet(key, ranks.Rank, beat.Text, flags: CommandFlags.FireAndForget);
        redis.KeyExpire(key, KeptFor, CommandFlags.FireAndForget);
    }

    /// <returns>The ranks that do not answer; empty: none is known to.</returns>
    private async Task<string> MissingAsync(bool isRunning)
    {
        try
        {
            RedisValue[] all = [.. Enumerable.Range(0, ranks.Size).Select(static rank => (RedisValue)rank)];
            RedisValue[] values = await redis.HashGetAsync(key, all).ConfigureAwait(false);
            RankBeat[] told =
            [
                .. values
                    .Select(static (value, rank) => (Rank: rank, Text: (string?)value))
                    .Where(static one => one.Text is not null)
                    .Select(static one => RankBeat.Parse(one.Rank, one.Text!)),
            ];
            return isRunning ? Behind(told, ranks.Size) : string.Join(", ", _beats.Silent(told, timeout));
        }
        catch (Exception exception) when (exception is RedisException or FormatException or TimeoutException)
        {
            _beats.Clear();
            return isRunning ? "a rank that cannot be named, because Redis does not answer" : string.Empty;
        }
    }
}
