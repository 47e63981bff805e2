using System.Diagnostics;
using System.Runtime.CompilerServices;
using StackExchange.Redis;
using Streaming.Core.Histories;
using Streaming.Lab.Embedded;
using Streaming.Transport.Redis;
using Streaming.Transport.Redis.Publishing;

namespace Streaming.Chaos.Scaling;

/// <summary>Histories of 50 items published per second to one Redis, for batches of several sizes in turns.</summary>
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
        Console.WriteLine("| users of a batch | users/s |\n|---:|---:|");
        double[][] rates = [.. BatchSizes.Select(static _ => new double[Rounds])];
        for (int round = 0; round < Rounds; round++)
        {
            for (int i = 0; i < BatchSizes.Length; i++)
            {
                rates[i][round] = await MeasureAsync(redis.GetDatabase(), options, histories, BatchSizes[i]).ConfigureAwait(false);
            }
        }

        for (int i = 0; i < BatchSizes.Length; i++)
        {
            Console.WriteLine($"| {BatchSizes[i]} | {rates[i].Order().ElementAt(Rounds / 2):0} |");
        }

        return 0;
    }

    /// <summary>Every user has a new event, and then is published once.</summary>
    private static async Task<double> MeasureAsync(IDatabase redis, RedisOptions options, HistoryStore histories, int batchSize)
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
        long begun = Stopwatch.GetTimestamp();
        await publisher.RunAsync(feed, 1, CancellationToken.None).ConfigureAwait(false);
        double seconds = Stopwatch.GetElapsedTime(begun).TotalSeconds;
        return publisher.Metrics.Written == Users
            ? Users / seconds
            : throw new InvalidOperationException($"{publisher.Metrics.Written} of {Users} histories were written.");
    }
}
