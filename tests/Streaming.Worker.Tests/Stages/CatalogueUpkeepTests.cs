using System.Text;
using Streaming.Core.Hashing;
using Streaming.Core.Ingestion;
using Streaming.Core.Items;
using Streaming.Core.Refreshes;
using Streaming.Learning.Cpu;
using Streaming.Learning.Training;
using Streaming.Models.Options;
using Streaming.Transport.Redis;
using Streaming.Worker.Stages;
using Xunit;

namespace Streaming.Worker.Tests.Stages;

public sealed class CatalogueUpkeepTests : IDisposable
{
    private const int Items = 3_000;
    private static readonly ModelOptions Model = new()
    {
        Widths = [4, 8],
        ItemCapacity = Items + 100,
        HistoryLength = 4,
        Layers = 1,
        BankCapacity = 16,
    };
    private readonly CpuEngine _engine = new(Model, 1);
    private readonly Trainer _trainer;
    private readonly RefreshOutbox _outbox = new();

    public CatalogueUpkeepTests()
    {
        _trainer = new Trainer(_engine, new TrainerOptions { EvaluateEvery = -1 });
        var batch = new Batch(16, 4);
        for (int i = 0; i < Items; i++)
        {
            batch.ItemChanges.Add(new ItemChange { ItemKey = XxHash64.Hash(Encoding.UTF8.GetBytes($"i{i}")), ItemId = $"i{i}" });
        }

        _trainer.Train(batch);
        _trainer.CollectChanges(_outbox);
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _trainer.Dispose();
        _engine.Dispose();
        _outbox.Dispose();
    }

    [Fact]
    public async Task RunAsync_EverythingIsMarked_PostsEveryItemWhileTheTrainerOnlyServes()
    {
        await DrainAsync();
        _trainer.RefreshAll();
        using CatalogueUpkeep upkeep = Create();
        Task running = upkeep.RunAsync(Stop);
        var seen = new HashSet<string>();
        while (seen.Count < Items)
        {
            await upkeep.Asked.WaitAsync(TimeSpan.FromMinutes(1), Stop);
            upkeep.Serve();
            List<Refresh> posted = await DrainAsync();
            Assert.All(posted, static refresh => Assert.True(refresh.IsUpkeep));
            Assert.InRange(posted.Count, 0, RefreshChunk.MaxItems);
            seen.UnionWith(posted.Select(static refresh => refresh.ItemId));
        }

        upkeep.Finish(Stop);
        await running.WaitAsync(TimeSpan.FromMinutes(1), Stop);
    }

    [Fact]
    public async Task RunAsync_StoreTakesNothing_StopsAskingAfterTheBound()
    {
        await DrainAsync();
        _trainer.RefreshAll();
        using CatalogueUpkeep upkeep = Create(batchSize: 100);
        Task running = upkeep.RunAsync(Stop);
        while (_outbox.Upkeep <= 400)
        {
            await upkeep.Asked.WaitAsync(TimeSpan.FromMinutes(1), Stop);
            upkeep.Serve();
        }

        await Task.Delay(TimeSpan.FromMilliseconds(200), Stop);
        Assert.InRange(_outbox.Upkeep, 401, 400 + (2 * RefreshChunk.MaxItems));
        Assert.False(upkeep.Asked.IsCompleted);
        _ = await DrainAsync();
        await upkeep.Asked.WaitAsync(TimeSpan.FromMinutes(1), Stop);
        upkeep.Finish(Stop);
        await running.WaitAsync(TimeSpan.FromMinutes(1), Stop);
    }

    /// <summary>What another thread still looks at when the last batch is trained on is posted too.</summary>
    [Fact]
    public async Task Finish_AtAnyMoment_PostsWhatWasDue()
    {
        for (int served = 0; served < 6; served++)
        {
            await DrainAsync();
            _trainer.RefreshAll();
            using CatalogueUpkeep upkeep = Create();
            Task running = upkeep.RunAsync(Stop);
            for (int i = 0; i < served; i++)
            {
                await upkeep.Asked.WaitAsync(TimeSpan.FromMinutes(1), Stop);
                upkeep.Serve();
            }

            upkeep.Finish(Stop);
            await running.WaitAsync(TimeSpan.FromMinutes(1), Stop);
            Assert.Equal(Items, _outbox.Count);
        }
    }

    private CatalogueUpkeep Create(int batchSize = 4096) =>
        new(
            _trainer,
            _outbox,
            new StageOptions
            {
                Redis = new RedisOptions { BatchSize = batchSize },
                Pipeline = new PipelineOptions { PublishInterval = TimeSpan.FromMilliseconds(10) },
                Training = new TrainerOptions { Refresh = new RefreshOptions { MaxTimeShare = 0.5 } },
            },
            TimeProvider.System
        );

    private async Task<List<Refresh>> DrainAsync()
    {
        var refreshes = new List<Refresh>();
        if (_outbox.Count > 0)
        {
            await _outbox.TakeAsync(refreshes, int.MaxValue, Stop);
        }

        return refreshes;
    }
}
