using Streaming.Core.Hashing;
using Streaming.Core.Ingestion;
using Streaming.Learning.Checkpoints;
using Streaming.Learning.Cpu;
using Streaming.Learning.Engine;
using Streaming.Learning.Items;
using Streaming.Learning.Replay;
using Streaming.Learning.Training;
using Streaming.Models.Options;
using Streaming.Models.State;

namespace Streaming.Lab.Backtest;

/// <summary>
/// Keeps the best model of a backtest, over all settings and seeds, as a checkpoint for `streaming run --from`.
/// The best model so far is always on disk.
/// </summary>
/// <param name="folder">An empty or new folder.</param>
/// <param name="time">Clock.</param>
internal sealed class BestModel(string folder, TimeProvider time) : IDisposable
{
    private readonly string _engine = Path.Combine(folder, ".best.safetensors");
    private double _best = double.NegativeInfinity;
    private ModelOptions? _model;
    private long _steps;

    /// <summary>Whether a model with this NDCG@10 would be kept.</summary>
    public bool Wants(double ndcg) => ndcg > _best;

    /// <summary>Keeps a model trained on a stream, with its trainer's whole state.</summary>
    /// <param name="ndcg">Its NDCG@10.</param>
    /// <param name="trainer">The trainer at the end of the stream.</param>
    /// <param name="ingest">User histories at the end of the stream.</param>
    public void Keep(double ndcg, Trainer trainer, IngestState ingest)
    {
        _best = ndcg;
        Write(trainer, ingest);
    }

    /// <summary>Keeps the parameters of a model trained in epochs, until a better one comes or <see cref="Finish"/>.</summary>
    /// <param name="ndcg">Its NDCG@10 on the validation cases.</param>
    /// <param name="engine">The engine, between two steps.</param>
    /// <param name="steps">Its number of training steps.</param>
    public void Keep(double ndcg, TrainingEngine engine, long steps)
    {
        Directory.CreateDirectory(folder);
        using TensorSnapshot state = engine.BeginSnapshot();
        using FileStream file = File.Create(_engine);
        Safetensors.Write(state, file);
        (_best, _model, _steps) = (ndcg, engine.Model, steps);
    }

    /// <summary>Writes a checkpoint of the kept parameters: items get rows by id, and frequencies come from the log.</summary>
    /// <param name="log">The data whose items are the model's rows.</param>
    /// <param name="split">The split it was trained on.</param>
    /// <param name="histories">Creates user histories at the end of the log, of at least this many items; null if users and times are
    /// unknown.</param>
    public void Finish(InteractionLog log, OfflineSplit split, Func<int, IngestState>? histories)
    {
        if (_model is null)
        {
            return;
        }

        int items = log.Items.Count;
        ModelOptions model = _model with { ItemCapacity = Capacity(items, new ItemTableOptions()) };
        using var engine = new CpuEngine(model, Math.Clamp(Environment.ProcessorCount, 1, 16));
        using var trainer = new Trainer(
            engine,
            new TrainerOptions
            {
                EvaluateEvery = -1,
                Replay = new ReplayOptions { Ratio = 0 },
            }
        );
        using var state = SafetensorsReader.Open(_engine);
        trainer.Adopt(state, _model, Describe(log, split), split.TrainWeights.ExampleCount(), _steps);
        Write(trainer, histories?.Invoke(model.HistoryLength));
    }

    /// <summary>Enough rows for every item plus fallback rows; live settings decide the capacity.</summary>
    public static int Capacity(int items, ItemTableOptions options) =>
        Math.Max(64, items + options.FallbackRowsFor(items) + (items / 32) + 1);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (File.Exists(_engine))
        {
            File.Delete(_engine);
        }
    }

    private KnownItem[] Describe(InteractionLog log, OfflineSplit split)
    {
        long now = time.GetUtcNow().ToUnixTimeMilliseconds();
        long[] counts = new long[log.Items.Count];
        long seen = split.TrainWeights.ExampleCount();
        for (int user = 0; user < split.Train.Count; user++)
        {
            for (int place = 0; place < split.Train[user].Length; place++)
            {
                counts[split.Train[user][place]] += split.TrainWeights[user][place] > 0 ? 1 : 0;
            }
        }

        // A log has no order across users, so an item's idle time is set to its mean gap.
        return
        [
            .. log.Items.Select(
                (id, row) =>
                    new KnownItem(XxHash64.Hash(System.Text.Encoding.UTF8.GetBytes(id)), id, row)
                    {
                        Events = counts[row],
                        Heat = (byte)Math.Min(counts[row], 15),
                        LastSeen = now,
                        Gap = counts[row] == 0 ? 0 : (double)seen / counts[row],
                        Silence = counts[row] == 0 ? 0 : seen / counts[row],
                    }
            ),
        ];
    }

    private void Write(Trainer trainer, IngestState? ingest)
    {
        var store = new CheckpointStore(folder, keep: 1, time, static warning => Console.Error.WriteLine("streaming: " + warning));
        store.WriteAsync(trainer.BeginSnapshot(), ingest?.Share(), [], CancellationToken.None).GetAwaiter().GetResult();
    }
}
