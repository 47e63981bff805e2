using System.Globalization;
using StackExchange.Redis;
using Streaming.Core.Embeddings;
using Streaming.Core.Generations;
using Streaming.Core.Histories;
using Streaming.Core.Refreshes;
using Streaming.Learning.Cpu;
using Streaming.Models.Options;
using Streaming.Models.Slices;
using Streaming.Models.State;
using Streaming.Transport.Redis;
using Streaming.Transport.Redis.Generations;
using Streaming.Transport.Redis.Publishing;

namespace Streaming.Chaos.Serving;

/// <summary>What a trainer publishes of a catalogue, by the trainer's own publishers: items of random numbers, towers, histories.</summary>
internal sealed class PublishedCatalogue
{
    public const int Users = 1_000;
    private const int HistoryLength = 50;
    private const int Batch = 4_096;
    private static readonly ModelOptions Model = new() { ItemCapacity = 2, HistoryLength = HistoryLength };

    private readonly IDatabase _database;
    private readonly RedisOptions _options;
    private readonly EmbeddingPublisher _publisher;
    private readonly Random _random = new(1);
    private readonly float[][] _some;
    private readonly int _items;
    private long _step = 1;

    public PublishedCatalogue(IDatabase database, RedisOptions options, int items)
    {
        (_database, _options, _items) = (database, options, items);
        _publisher = new EmbeddingPublisher(database, options, Model.Widths, TimeProvider.System);
        _some =
        [
            .. Enumerable
                .Range(0, 4099)
                .Select(_ => Enumerable.Range(0, Model.Dimension).Select(_ => _random.NextSingle() - 0.5f).ToArray()),
        ];
    }

    public static string Id(int item) => string.Create(CultureInfo.InvariantCulture, $"item{item}");

    public static string User(int user) => string.Create(CultureInfo.InvariantCulture, $"user{user}");

    /// <summary>Publishes everything once.</summary>
    public async Task PublishAsync()
    {
        await _publisher.OpenAsync(1, 1).ConfigureAwait(false);
        foreach (int[] items in Enumerable.Range(0, _items).Chunk(Batch))
        {
            await PublishAsync(items).ConfigureAwait(false);
        }

        await PublishHistoriesAsync().ConfigureAwait(false);
        await PublishTowersAsync().ConfigureAwait(false);
    }

    /// <summary>Publishes items again, as fast as Redis takes them, in an order of their own.</summary>
    /// <returns>The number of items.</returns>
    public async Task<long> PublishAgainAsync(CancellationToken stop)
    {
        long written = 0;
        while (!stop.IsCancellationRequested)
        {
            int from = _random.Next(_items);
            await PublishAsync([.. Enumerable.Range(0, Batch).Select(i => (int)((from + (7_919L * i)) % _items)).Distinct()])
                .ConfigureAwait(false);
            written += Batch;
        }

        return written;
    }

    private async Task PublishAsync(int[] items)
    {
        _step++;
        List<Refresh> failed = [];
        await _publisher
            .PublishAsync(
                [.. items.Select(item => new Refresh(RedisKeys.Hash(Id(item)), Id(item), Vector(), _step, _step, 0))],
                failed,
                CancellationToken.None
            )
            .ConfigureAwait(false);
        if (failed.Count > 0)
        {
            throw new InvalidOperationException($"{failed.Count} of {items.Length} items were not published.");
        }
    }

    private float[] Vector()
    {
        float[] one = _some[_random.Next(_some.Length)],
            other = _some[_random.Next(_some.Length)];
        float[] vector = new float[one.Length];
        System.Numerics.Tensors.TensorPrimitives.Add(one, other, vector);
        return vector;
    }

    private async Task PublishHistoriesAsync()
    {
        HistoryStore histories = new(new HistoryOptions { Length = HistoryLength, MaxUsers = Users });
        UserHistoryBatch batch = new(Users, HistoryLength);
        for (int user = 0; user < Users; user++)
        {
            ulong key = RedisKeys.Hash(User(user));
            for (int i = 0; i < HistoryLength; i++)
            {
                histories.Append(key, RedisKeys.Hash(Id(_random.Next(_items))), 1_700_000_000_000 + i, 0, new ulong[HistoryLength]);
            }

            batch.Add(histories, key, 0);
        }

        await new UserHistoryPublisher(_database, _options, TimeProvider.System)
            .PublishAsync(batch, 1, CancellationToken.None)
            .ConfigureAwait(false);
    }

    private async Task PublishTowersAsync()
    {
        using CpuEngine engine = new(Model, threads: 1);
        using TensorSource parameters = engine.CopyParameters();
        await new GenerationPublisher(_database, _options, TimeProvider.System)
            .PublishAsync(
                new GenerationRecord
                {
                    Generation = 1,
                    Token = 1,
                    Widths = Model.Widths,
                    Items = _items,
                },
                Model.Widths.Select(width => KeyValuePair.Create(width, Tower(parameters, width))),
                CancellationToken.None
            )
            .ConfigureAwait(false);
    }

    private static byte[] Tower(TensorSource parameters, int width)
    {
        using MemoryStream file = new();
        SlicedModel.Write(parameters, Model, width, new ModelVersion(1, 1, 0), projection: false, file);
        return file.ToArray();
    }
}
