using StackExchange.Redis;
using Streaming.Core.Embeddings;
using Streaming.Core.Events;
using Streaming.Core.Histories;
using Streaming.Core.Ingestion;
using Streaming.Learning.Checkpoints;
using Streaming.Learning.Engine;
using Streaming.Learning.Items;
using Streaming.Learning.Training;
using Streaming.Serving;
using Streaming.Serving.Lookups;
using Streaming.Worker.Engine;
using Streaming.Worker.Run;
using Streaming.Worker.Stages;

namespace Streaming.Chaos;

/// <summary>Compares the surviving state with the expected effects of the events.</summary>
internal sealed class Verification(WorkerOptions settings)
{
    /// <summary>Gets the events without effect.</summary>
    public long Lost { get; private set; }

    /// <summary>Gets the effects beyond one per event.</summary>
    public long Duplicated { get; private set; }

    /// <summary>Gets the items whose value in Redis is missing or not what the model encodes, and the users whose
    /// history in Redis differs from the stored one.</summary>
    public long Stale { get; private set; }

    /// <summary>Gets how many items were compared.</summary>
    public int Items { get; private set; }

    /// <summary>Gets how many users were compared.</summary>
    public int Users { get; private set; }

    /// <summary>Gets the differences found, one per line.</summary>
    public List<string> Findings { get; } = [];

    /// <summary>Compares the newest checkpoint with the events and with Redis.</summary>
    public async Task RunAsync(ExpectedEffects expected, IDatabase redis)
    {
        CheckpointOptions keep = settings.Checkpoint;
        var store = new CheckpointStore(keep.Folder, keep.Keep, TimeProvider.System, warning => Findings.Add(warning));
        Checkpoint checkpoint = store.FindNewest() ?? throw new InvalidOperationException("There is no checkpoint.");
        IngestState ingest = ReadIngest(checkpoint);
        CompareTotals(expected, ingest.Totals, checkpoint);
        await CompareHistoriesAsync(ingest.Histories, redis).ConfigureAwait(false);

        using TrainingEngine engine = EngineFactory.Create(settings.Model, settings.Engine);
        using var trainer = new Trainer(engine, settings.Training);
        checkpoint.RestoreTo(trainer);
        CompareItems(expected.TrainedByItem, trainer.Items);
        await CompareRedisAsync(engine, trainer.Items, redis).ConfigureAwait(false);
    }

    private IngestState ReadIngest(Checkpoint checkpoint)
    {
        HistoryOptions histories = settings.History;
        histories = histories with { Length = Math.Max(histories.Length, settings.Model.HistoryLength) };
        return checkpoint.ReadIngest(histories, settings.Dedup)
            ?? throw new InvalidOperationException("The checkpoint has no ingestion state.");
    }

    private void CompareTotals(ExpectedEffects effects, in EventCounts actual, Checkpoint checkpoint)
    {
        EventCounts expected = effects.Totals;
        long deadAgain = Math.Clamp(actual.DeadLettered - expected.DeadLettered, 0, effects.Resent);
        long duplicatesAgain = effects.Resent - deadAgain;
        Compare("read", expected.Read, actual.Read);
        Compare("decoded", expected.Decoded + duplicatesAgain, actual.Decoded);
        Compare("trained", expected.Trained, actual.Trained);
        Compare("history only", expected.HistoryOnly, actual.HistoryOnly);
        Compare("dead letters", expected.DeadLettered + deadAgain, actual.DeadLettered);
        Compare("duplicates", expected.Duplicates + duplicatesAgain, actual.Duplicates);
        Compare("trained by the trainer", expected.Trained, checkpoint.Manifest.Counters.EventsTrained);
    }

    private void CompareItems(Dictionary<string, long> expected, ItemTable items)
    {
        var actual = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (int row in items.Rows)
        {
            actual[items.IdOf(row)] = items.EventsOf(row);
        }

        foreach (string item in expected.Keys.Union(actual.Keys, StringComparer.Ordinal))
        {
            Compare($"events of {item}", expected.GetValueOrDefault(item), actual.GetValueOrDefault(item));
        }
    }

    private void Compare(string what, long expected, long actual)
    {
        if (expected == actual)
        {
            return;
        }

        Lost += Math.Max(0, expected - actual);
        Duplicated += Math.Max(0, actual - expected);
        Findings.Add($"{what}: expected {expected}, found {actual}");
    }

    private async Task CompareHistoriesAsync(HistoryStore histories, IDatabase redis)
    {
        Transport.Redis.RedisOptions options = settings.Redis;
        var keys = new RedisKeys(options.Model, options.Partitions);
        var feed = new HistoryFeed(histories, options.UserItems, histories.UserCount, TimeSpan.Zero, TimeProvider.System);
        feed.TouchAll();
        feed.Complete();
        ulong[] stored = new ulong[options.UserItems];
        while (await feed.TakeAsync(CancellationToken.None).ConfigureAwait(false) is { } kept)
        {
            for (int user = 0; user < kept.Count; user++)
            {
                RedisValue value = await redis.StringGetAsync(keys.User(kept.Users[user])).ConfigureAwait(false);
                EmbeddingFault fault = UserHistoryValue.TryDecode((byte[]?)value, stored, out int count, out HistoryAge age);
                Users++;
                if (fault != EmbeddingFault.None || age != kept.Ages[user] || !kept.ItemsOf(user).SequenceEqual(stored.AsSpan(0, count)))
                {
                    Stale++;
                    Findings.Add(
                        $"Redis has another history of user {kept.Users[user]:x16} than the checkpoint: "
                            + $"{(value.IsNull ? "none" : fault)}, {age} in place of {kept.Ages[user]}"
                    );
                }
            }

            feed.Return(kept);
        }
    }

    /// <summary>Stored values are float16: the model's are rounded the same way and must then match bit for bit.</summary>
    private async Task CompareRedisAsync(TrainingEngine engine, ItemTable items, IDatabase redis)
    {
        int width = engine.Model.Dimension;
        int[] rows = items.Rows.ToArray();
        string[] ids = [.. rows.Select(items.IdOf)];
        float[] model = new float[rows.Length * width];
        engine.EncodeItems(rows, model);

        var reader = new EmbeddingReader(redis, new ServingOptions { Model = settings.Redis.Model }, TimeProvider.System);
        float[] stored = new float[rows.Length * width];
        var reads = new ItemRead[rows.Length];
        await reader.ReadAsync(ids, width, stored, reads).ConfigureAwait(false);
        Items = rows.Length;
        for (int i = 0; i < rows.Length; i++)
        {
            bool isEqual = reads[i].Status == ItemStatus.Found;
            for (int d = 0; isEqual && d < width; d++)
            {
                isEqual = (float)(Half)model[(i * width) + d] == stored[(i * width) + d];
            }

            if (!isEqual)
            {
                Stale++;
                Findings.Add(
                    $"Redis has another value of {ids[i]} than the model: {reads[i].Status}, token {reads[i].Stamp.Token}, step "
                        + $"{reads[i].Stamp.Step}"
                );
            }
        }
    }
}
