using System.Globalization;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;
using Streaming.Core.Embeddings;
using Streaming.Learning.Ranks;
using Streaming.Worker.Failures;

namespace Streaming.Worker.Stages;

/// <summary>
/// Ends the job when a rank does not answer: a frozen process keeps the others waiting, and no launcher notices. Each rank tells in Redis
/// how many operations it has begun, so that those who wait can name the one that they wait for.
/// </summary>
/// <param name="ranks">The ranks.</param>
/// <param name="timeout">How long an operation may take.</param>
/// <param name="redis">The store.</param>
/// <param name="model">The model's name.</param>
/// <param name="time">Clock.</param>
/// <param name="logger">Log.</param>
internal sealed class RankWatchdog(Collective ranks, TimeSpan timeout, IDatabase redis, string model, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan KeptFor = TimeSpan.FromHours(1);
    private readonly RedisKey _key = RedisKeys.RanksOf(model);
    private readonly string _name = $"{Environment.MachineName}:{Environment.ProcessId}";

    /// <summary>Watches until told to stop.</summary>
    /// <param name="isRunning">Whether the ranks have begun: before, they wait for the slowest to read its checkpoint.</param>
    /// <param name="ended">Stops it.</param>
    public async Task RunAsync(Func<bool> isRunning, CancellationToken ended)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(ended).ConfigureAwait(false))
        {
            Tell();
            if (isRunning() && ranks.Waiting > timeout)
            {
                string missing = await MissingAsync().ConfigureAwait(false);
                PipelineLog.RankMissing(logger, ranks.Rank, ranks.Size, timeout.TotalSeconds, missing);
                ranks.Abort((int)ExitCode.Unavailable);
                return;
            }
        }
    }

    /// <summary>The ranks that have begun the fewest operations.</summary>
    internal static string Behind(IReadOnlyList<(int Rank, long Operations, string Process)> told, int ranks)
    {
        string[] silent = [.. Enumerable.Range(0, ranks).Except(told.Select(static one => one.Rank)).Select(static rank => $"rank {rank}")];
        if (silent.Length > 0)
        {
            return string.Join(", ", silent);
        }

        long fewest = told.Min(static one => one.Operations);
        return string.Join(", ", told.Where(one => one.Operations == fewest).Select(static one => $"rank {one.Rank} ({one.Process})"));
    }

    private void Tell()
    {
        string value = string.Create(CultureInfo.InvariantCulture, $"{ranks.Operations} {_name}");
        redis.HashSet(_key, ranks.Rank, value, flags: CommandFlags.FireAndForget);
        redis.KeyExpire(_key, KeptFor, CommandFlags.FireAndForget);
    }

    private async Task<string> MissingAsync()
    {
        try
        {
            HashEntry[] entries = await redis.HashGetAllAsync(_key).ConfigureAwait(false);
            return Behind([.. entries.Select(Parse).Where(one => one.Rank < ranks.Size)], ranks.Size);
        }
        catch (Exception exception) when (exception is RedisException or FormatException or TimeoutException)
        {
            return "a rank that cannot be named, because Redis does not answer";
        }
    }

    private static (int Rank, long Operations, string Process) Parse(HashEntry entry)
    {
        string[] parts = ((string)entry.Value!).Split(' ', 2);
        return ((int)entry.Name, long.Parse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture), parts[^1]);
    }
}
