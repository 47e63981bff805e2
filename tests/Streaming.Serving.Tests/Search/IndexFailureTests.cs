using StackExchange.Redis;
using Streaming.Core.Embeddings;
using Streaming.Lab.Embedded;
using Streaming.Serving.Search;
using Streaming.Transport.Redis;
using Streaming.Transport.Redis.Publishing;
using Xunit;

namespace Streaming.Serving.Tests.Search;

/// <summary>Redis fails in the middle of a load or a refresh: no change is lost, and no partial state is visible.</summary>
public sealed class IndexFailureTests : IAsyncLifetime
{
    private const int Items = 300;

    private readonly RedisOptions _options = new()
    {
        Model = "failing",
        Element = EmbeddingElement.Float16,
        Partitions = 4,
    };
    private readonly Random _random = new(3);
    private LocalRedisServer _server = null!;
    private ConnectionMultiplexer _writer = null!;
    private ConnectionMultiplexer _reader = null!;
    private RedisFaults _faults = null!;
    private EmbeddingPublisher _publisher = null!;
    private EmbeddingIndex _index = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await LocalRedisServer.StartAsync(cancellationToken: Stop);
        _writer = await RedisConnection.OpenAsync(new RedisOptions { Configuration = _server.Configuration }, Stop);
        _faults = new RedisFaults(_server.Configuration);
        _reader = await RedisConnection.OpenAsync(new RedisOptions { Configuration = _faults.Configuration }, Stop);
        _publisher = new EmbeddingPublisher(_writer.GetDatabase(), _options, ServingFixture.Widths, TimeProvider.System);
        await _publisher.OpenAsync(1, 1, Stop);
        await PublishAsync(Enumerable.Range(0, Items), step: 1);
        ServingOptions serving = ServingFixture.Serving(_options) with { Timeout = TimeSpan.FromSeconds(2), RetryAttempts = 0 };
        _index = new EmbeddingIndex(
            _reader.GetDatabase(),
            serving,
            new IndexOptions
            {
                Widths = ServingFixture.Widths,
                ReadBatch = 50,
                SweepItems = 0,
            },
            TimeProvider.System
        );
    }

    public async ValueTask DisposeAsync()
    {
        _index.Dispose();
        RedisConnection.Close(_reader);
        RedisConnection.Close(_writer);
        await _faults.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task Refresh_FailsAfterTheFeedWasRead_TakesTheSameChangesInLater()
    {
        await _index.LoadAsync(Stop);
        await RemoveAsync(7, step: 2);
        await PublishAsync([400], step: 2);

        _faults.Hold("MGET");
        await FailsAsync(() => _index.RefreshAsync(Stop));
        Assert.True(Has(7), "the removal cannot be known yet");
        await RecoverAsync();

        Assert.False(Has(7));
        Assert.True(Has(400));
    }

    [Fact]
    public async Task Refresh_FailsBetweenTwoParts_ContinuesWithTheRest()
    {
        await _index.LoadAsync(Stop);
        await PublishAsync(Enumerable.Range(1000, 200), step: 2);
        _faults.Hold("MGET", after: 2);

        await FailsAsync(() => _index.RefreshAsync(Stop));
        Assert.InRange(_index.Count, Items + 50, Items + 150);
        await RecoverAsync();

        Assert.Equal(Items + 200, _index.Count);
    }

    [Fact]
    public async Task Load_AfterAGapFails_IsDoneByTheNextRefresh()
    {
        await _index.LoadAsync(Stop);
        await RemoveAsync(7, step: 2);
        for (int partition = 0; partition < _options.Partitions; partition++)
        {
            // The feed's contents are lost, as if it had been trimmed.
            await _writer.GetDatabase().StreamTrimAsync(new RedisKeys(_options.Model, _options.Partitions).Changes(partition), 0);
        }

        await RemoveAsync(8, step: 3);
        await RemoveAsync(9, step: 3);
        await RemoveAsync(10, step: 3);
        await RemoveAsync(11, step: 3);
        _faults.Hold("MGET");
        await FailsAsync(() => _index.RefreshAsync(Stop));
        Assert.Equal(Items, _index.Count);
        await RecoverAsync();

        Assert.Equal(Items - 5, _index.Count);
        Assert.False(Has(7));
    }

    [Fact]
    public async Task Load_FailsHalfWay_ShowsNothingAndIsBegunAgain()
    {
        _faults.Hold("MGET", after: 3);
        await FailsAsync(() => _index.LoadAsync(Stop));
        Assert.Equal((0, 0u, false), (_index.Count, _index.Generation, _index.IsLoaded));
        await RecoverAsync();

        Assert.Equal((Items, 1u, true), (_index.Count, _index.Generation, _index.IsLoaded));
    }

    [Fact]
    public async Task Switch_ToAnotherGeneration_ShowsTheOldOneUntilTheNewOneIsWhole()
    {
        await _index.LoadAsync(Stop);
        IndexView old = _index.Current;
        var second = new EmbeddingPublisher(_writer.GetDatabase(), _options, ServingFixture.Widths, TimeProvider.System);
        await second.OpenAsync(2, 1, Stop);
        await second.PublishAsync(
            [.. Enumerable.Range(0, 120).Select(i => ServingFixture.Item(i, 1, ServingFixture.Vector(_random)))],
            [],
            Stop
        );
        await _writer.GetDatabase().StringSetAsync(new RedisKeys(_options.Model, _options.Partitions).Active, "2");

        _faults.Hold("MGET", after: 1);
        await FailsAsync(() => _index.RefreshAsync(Stop));
        Assert.Same(old, _index.Current);
        await RecoverAsync();

        Assert.Equal((2u, 120), (_index.Generation, _index.Count));
        Assert.Equal((1u, Items), (old.Generation, old.Count));
    }

    [Fact]
    public async Task Sweep_ItemsGoneWithoutAChange_LeaveWithinOneRound()
    {
        using EmbeddingIndex index = new(
            _writer.GetDatabase(),
            ServingFixture.Serving(_options),
            new IndexOptions
            {
                Widths = ServingFixture.Widths,
                SweepItems = 100,
                ReadBatch = 30,
            },
            TimeProvider.System
        );
        await index.LoadAsync(Stop);
        ItemKeySpace keys = new RedisKeys(_options.Model, _options.Partitions).Items(1);
        await _writer.GetDatabase().KeyDeleteAsync([.. Enumerable.Range(0, 40).Select(i => (RedisKey)keys.Key($"item{i * 7}"))]);
        for (int refresh = 0; refresh < 3; refresh++)
        {
            Assert.Equal(0, await index.RefreshAsync(Stop));
        }

        Assert.Equal(Items - 40, index.Count);
    }

    [Fact]
    public async Task Updater_FailsAndRecovers_SaysSo()
    {
        using IndexUpdater updater = new(_index, TimeSpan.FromMilliseconds(20), TimeProvider.System);
        Assert.Equal(IndexPhase.Loading, updater.Status().Phase);
        using CancellationTokenSource stop = new();
        Task running = updater.RunAsync(stop.Token);
        await UntilAsync(() => updater.Status().Phase == IndexPhase.Fresh);

        _faults.Hold("XREAD");
        await UntilAsync(() => updater.Status() is { Phase: IndexPhase.Stale, Items: Items, Error: not null });
        _faults.Release();
        await UntilAsync(() => updater.Status() is { Phase: IndexPhase.Fresh, Error: null });
        await stop.CancelAsync();
        await running;
    }

    [Fact]
    public async Task Searches_WhileItemsChangeComeAndGo_FindEachItemWithItsOwnVector()
    {
        // All vectors of item i are multiples of one direction: at any moment, its cosine with that direction is 1.
        using VectorTable table = new(ServingFixture.Widths, Streaming.Kernels.Packed.RowElement.Float32);
        float[][] directions = [.. Enumerable.Range(0, 500).Select(_ => ServingFixture.Vector(_random))];
        IndexView view = new(1, ServingFixture.Widths, table);
        using CancellationTokenSource done = new();
        var writing = Task.Run(
            () =>
            {
                Random random = new(5);
                while (!done.IsCancellationRequested)
                {
                    int item = random.Next(directions.Length);
                    if (random.Next(3) == 0)
                    {
                        table.Remove($"item{item}");
                    }
                    else
                    {
                        float length = 0.1f + random.NextSingle();
                        table.Set($"item{item}", [.. directions[item].Select(value => value * length)], new EmbeddingStamp(1, 1, 1, 0));
                    }
                }
            },
            Stop
        );
        var best = new Neighbour[1];
        int seen = 0;
        for (int i = 0; i < 20_000 || seen < 100; i++)
        {
            int item = i % directions.Length;
            float[] query = directions[item];
            double length = Math.Sqrt(query.Sum(value => (double)value * value));
            foreach (int shortlist in (int[])[0, 500])
            {
                if (
                    view.Search(
                        query,
                        new SearchOptions
                        {
                            Width = 16,
                            Cosine = true,
                            Shortlist = shortlist,
                            Narrow = shortlist == 0 ? 0 : 4,
                        },
                        best
                    ) == 1
                    && best[0].Id == $"item{item}"
                )
                {
                    Assert.Equal(1, best[0].Score / length, 1e-4);
                    seen++;
                }
            }
        }

        await done.CancelAsync();
        await writing;
    }

    [Fact]
    public async Task Search_SteadyState_AllocatesNothing()
    {
        await _index.LoadAsync(Stop);
        float[] query = ServingFixture.Vector(_random);
        var best = new Neighbour[20];
        SearchOptions[] searches =
        [
            new() { Width = 16, Cosine = true },
            new() { Width = 5, Cosine = true },
            new()
            {
                Width = 16,
                Shortlist = 100,
                Narrow = 4,
            },
        ];
        for (int i = 0; i < 200; i++)
        {
            _index.Current.Search(query, in searches[i % 3], best);
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 99; i++)
        {
            _index.Current.Search(query, in searches[i % 3], best);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static async Task FailsAsync(Func<Task> action)
    {
        Exception failure = await Assert.ThrowsAnyAsync<Exception>(action);
        Assert.True(failure is RedisException or TimeoutException or Polly.Timeout.TimeoutRejectedException, failure.ToString());
    }

    /// <summary>Refreshes until one succeeds: the connection must be re-established.</summary>
    private async Task RecoverAsync()
    {
        _faults.Release();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (true)
        {
            try
            {
                await _index.RefreshAsync(limit.Token);
                return;
            }
            catch (Exception exception) when (exception is RedisException or TimeoutException or Polly.Timeout.TimeoutRejectedException)
            {
                await Task.Delay(20, limit.Token);
            }
        }
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!condition())
        {
            await Task.Delay(10, limit.Token);
        }
    }

    private bool Has(int item) => _index.Current.TryRead(RedisKeys.Hash($"item{item}"), new float[4], out _, out _);

    private Task<PublishCounts> PublishAsync(IEnumerable<int> items, long step) =>
        _publisher.PublishAsync([.. items.Select(i => ServingFixture.Item(i, step, ServingFixture.Vector(_random)))], [], Stop);

    private Task<PublishCounts> RemoveAsync(int item, long step) =>
        _publisher.PublishAsync([ServingFixture.Item(item, step, null)], [], Stop);
}
