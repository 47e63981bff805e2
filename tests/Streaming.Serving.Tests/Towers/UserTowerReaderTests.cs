using Streaming.Core.Embeddings;
using Streaming.Core.Generations;
using Streaming.Learning.Cpu;
using Streaming.Models.Batches;
using Streaming.Models.Options;
using Streaming.Models.Slices;
using Streaming.Models.State;
using Streaming.Serving.Towers;
using Streaming.Transport.Redis;
using Streaming.Transport.Redis.Generations;
using Streaming.Transport.Redis.Publishing;
using Xunit;

namespace Streaming.Serving.Tests.Towers;

public sealed class UserTowerReaderTests(ServingFixture redis) : IClassFixture<ServingFixture>
{
    private static readonly ModelOptions Model = new()
    {
        Widths = ServingFixture.Widths,
        ItemCapacity = 64,
        HistoryLength = 6,
        BankCapacity = 8,
    };

    private readonly RedisOptions _options = redis.Options();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(4)]
    [InlineData(8)]
    [InlineData(16)]
    public async Task ReadAsync_PublishedTower_ComputesThePrefixOfTheTrainersUserVector(int width)
    {
        using var engine = new CpuEngine(Model, threads: 1);
        int[] rows = [3, 1, 2, 3];
        foreach (int row in rows)
        {
            engine.InitializeRow(row, (ulong)row);
        }

        await PublishAsync(engine, new ModelVersion(1, 5, 70), new ModelVersion(1, 5, 70));
        SlicedModel? tower = await Reader().ReadAsync(width, Stop);

        Assert.Equal(new ModelVersion(1, 5, 70), tower!.Version);
        float[] items = new float[rows.Length * 16];
        float[] expected = new float[16];
        engine.EncodeItems(rows, items);
        engine.EncodeUsers(new JaggedRows { Rows = rows, Offsets = [0, rows.Length] }, expected);
        float[] cut = [.. Enumerable.Range(0, rows.Length).SelectMany(i => items[(i * 16)..((i * 16) + width)])];
        float[] vector = new float[width];
        tower.CreateEncoder().Encode(cut, vector);
        for (int i = 0; i < width; i++)
        {
            Assert.Equal(expected[i], vector[i], 1e-5f);
        }
    }

    [Fact]
    public async Task ReadAsync_NothingNewer_GivesTheSameTowerAndThenTheNewOne()
    {
        using var engine = new CpuEngine(Model, threads: 1);
        UserTowerReader reader = Reader();
        Assert.Null(await reader.ReadAsync(4, Stop));
        await PublishAsync(engine, new ModelVersion(1, 5, 70), new ModelVersion(1, 5, 70));
        SlicedModel? first = await reader.ReadAsync(4, Stop);
        Assert.Same(first, await reader.ReadAsync(4, Stop));
        await PublishAsync(engine, new ModelVersion(1, 5, 71), new ModelVersion(1, 5, 71));
        Assert.Equal(71, (await reader.ReadAsync(4, Stop))!.Version.Step);
    }

    [Fact]
    public async Task ReadAsync_WidthThatTheModelHasNot_SaysWhichItHas()
    {
        using var engine = new CpuEngine(Model, threads: 1);
        await PublishAsync(engine, new ModelVersion(1, 5, 70), new ModelVersion(1, 5, 70));
        await RefusedAsync("width is 12; generation 1 has 4, 8, 16", width: 12);
    }

    [Fact]
    public async Task ReadAsync_TowerOfAnotherGenerationOrOlderThanTheRecord_IsRefused()
    {
        using var engine = new CpuEngine(Model, threads: 1);
        RedisKeys keys = new(_options.Model, _options.Partitions);
        await PublishAsync(engine, new ModelVersion(1, 5, 70), new ModelVersion(1, 5, 71));
        await RefusedAsync(
            "contains a tower of generation 1, token 5, step 70, older than the generation record's generation 1, token 5, step 71"
        );

        await redis.Database.StringSetAsync(keys.Tower(1, 8), File(engine, 8, new ModelVersion(2, 5, 90)));
        await RefusedAsync("contains a tower of generation 2; the embeddings are of generation 1");
        await redis.Database.StringSetAsync(keys.Tower(1, 8), File(engine, 4, new ModelVersion(1, 5, 90)));
        await RefusedAsync("contains a tower of width 4");
        await redis.Database.StringSetAsync(keys.Tower(1, 8), "rubbish");
        await RefusedAsync("safetensors");
    }

    [Fact]
    public async Task PublishAsync_OlderTrainer_IsFenced()
    {
        using var engine = new CpuEngine(Model, threads: 1);
        await PublishAsync(engine, new ModelVersion(1, 6, 70), new ModelVersion(1, 6, 70));
        FencedException refused = await Assert.ThrowsAsync<FencedException>(() =>
            PublishAsync(engine, new ModelVersion(1, 5, 900), new ModelVersion(1, 5, 900))
        );
        Assert.Equal(6u, refused.Newer);
    }

    private static byte[] File(CpuEngine engine, int width, ModelVersion version)
    {
        using var file = new MemoryStream();
        using TensorSource parameters = engine.CopyParameters();
        SlicedModel.Write(parameters, Model, width, version, projection: false, file);
        return file.ToArray();
    }

    private UserTowerReader Reader() => new(redis.Database, ServingFixture.Serving(_options), TimeProvider.System);

    private async Task RefusedAsync(string words, int width = 8)
    {
        TowerMismatchException refused = await Assert.ThrowsAsync<TowerMismatchException>(() => Reader().ReadAsync(width, Stop));
        Assert.Contains(words, refused.Message, StringComparison.Ordinal);
    }

    private async Task PublishAsync(CpuEngine engine, ModelVersion towers, ModelVersion record)
    {
        await redis.OpenAsync(_options);
        var publisher = new GenerationPublisher(redis.Database, _options, TimeProvider.System);
        await publisher.PublishAsync(
            new GenerationRecord
            {
                Generation = record.Generation,
                Token = record.Token,
                Step = record.Step,
                Widths = Model.Widths,
            },
            Model.Widths.Select(width => KeyValuePair.Create(width, File(engine, width, towers))),
            Stop
        );
    }
}
