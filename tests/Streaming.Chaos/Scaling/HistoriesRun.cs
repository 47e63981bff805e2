using System.Diagnostics;
using System.Runtime.CompilerServices;
using StackExchange.Redis;
using Streaming.Core.Histories;
using Streaming.Lab.Embedded;
using Streaming.Transport.Redis;
using Streaming.Transport.Redis.Publishing;

namespace Streaming.Chaos.Scaling;

/// <summary>Histories of 50 items published to one Redis, for batches of several sizes in turns: per second, and the processor time of one,
/// which other load on the machine does not change.</summary>
internal static class HistoriesRun
{
    private const int Users = 100_000;
    private const int Items = 50;
    private const int Rounds = 3;
    private static readonly int[] BatchSizes = [1_024, 4_096, HistoryFeed.UsersPerBatch, 16_384];

    public static async Task<int> RunAsync()
    {
        LocalRedisServer server = await LocalRedisServer.StartAsync().ConfigureAwait(false);
        await using ConfiguredAsyncDisposable _ = server.ConfigureAwait(false);
        using ConnectionMultiplexer redis = await ConnectionMultiplexer.ConnectAsync(server.Configuration).ConfigureAwait(false);
        var options = new RedisOptions { Configuration = server.Configuration };
        await new EmbeddingPublisher(redis.GetDatabase(), options, [8], TimeProvider.System).OpenAsync(1, 1).ConfigureAwait(false);
        var histories = new HistoryStore(new HistoryOptions { Length = Items, MaxUsers = Users });
        Console.WriteLine("| users of a batch | users/s | µs of the worker | µs of Redis |\n|---:|---:|---:|---:|");
        var costs = new Cost[BatchSizes.Length][];
        for (int round = -1; round < Rounds; round++)
        {
            for (int i = 0; i < BatchSizes.Length; i++)
            {
                Cost cost = await MeasureAsync(redis.GetDatabase(), server, options, histories, BatchSizes[i]).ConfigureAwait(false);
                costs[i] ??= new Cost[Rounds];
                costs[i][Math.Max(round, 0)] = cost; // The first round is for warming up.
            }
        }

        for (int i = 0; i < BatchSizes.Length; i++)
        {
            Console.WriteLine(
                $"| {BatchSizes[i]} | {Users / Median(costs[i], static cost => cost.Wall):0} | "
                    + $"{1e6 / Users * Median(costs[i], static cost => cost.Worker):0.0} | "
                    + $"{1e6 / Users * Median(costs[i], static cost => cost.Redis):0.0} |"
            );
        }

        return 0;
    }

    /// <summary>Every user has a new event, and then is published once.</summary>
    private static async Task<Cost> MeasureAsync(
        IDatabase redis,
        LocalRedisServer server,
        RedisOptions options,
        HistoryStore histories,
        int batchSize
    )
    {
        var feed = new HistoryFeed(histories, Items, Users, TimeSpan.Zero, TimeProvider.System, batchSize);
        long now = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
        ulong[] before = new ulong[Items];
        for (ulong user = 0; user < Users; user++)
        {
            for (int item = 0; item < (histories.UserCount < Users ? Items : 1); item++)
            {
                histories.Append(user, user + (ulong)item, now + item, 0, before);
            }

            feed.Touch(user, now);
        }

        var publisher = new UserHistoryPublisher(redis, options, TimeProvider.System);
        feed.Complete();
        (double worker, double ofRedis) = (Environment.CpuUsage.TotalTime.TotalSeconds, ProcessorOf(server));
        long begun = Stopwatch.GetTimestamp();
        await publisher.RunAsync(feed, 1, CancellationToken.None).ConfigureAwait(false);
        var cost = new Cost(
            Stopwatch.GetElapsedTime(begun).TotalSeconds,
            Environment.CpuUsage.TotalTime.TotalSeconds - worker,
            ProcessorOf(server) - ofRedis
        );
        return publisher.Metrics.Written == Users
            ? cost
            : throw new InvalidOperationException($"{publisher.Metrics.Written} of {Users} histories were written.");
    }

    private static double ProcessorOf(LocalRedisServer server)
    {
        using var process = Process.GetProcessById(server.ProcessId);
        return process.TotalProcessorTime.TotalSeconds;
    }

    private static double Median(Cost[] costs, Func<Cost, double> of) => costs.Select(of).Order().ElementAt(costs.Length / 2);

    /// <summary>Seconds that all users took.</summary>
    private readonly record struct Cost(double Wall, double Worker, double Redis);
}
