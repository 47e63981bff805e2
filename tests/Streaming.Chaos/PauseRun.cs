using System.Diagnostics;
using System.Globalization;
using System.Text;
using Streaming.Core.Dedup;
using Streaming.Core.Hashing;
using Streaming.Core.Histories;
using Streaming.Core.Ingestion;
using Streaming.Core.Items;
using Streaming.Learning.Checkpoints;
using Streaming.Learning.Cpu;
using Streaming.Learning.Training;
using Streaming.Models.Options;

namespace Streaming.Chaos;

/// <summary>
/// Measures how long checkpoints pause training and reading: a full catalogue, as many users with full histories, a
/// full dedup window, continuous steps and checkpoints. The stages run in turns here, each timed separately.
/// </summary>
internal sealed class PauseRun(ChaosOptions options, string folder)
{
    private const int Width = 128;
    private const int BatchSize = 256;
    private const int HistoryLength = 20;
    private const int Checkpoints = 4;
    private readonly Random _random = new(options.Seed);
    private readonly ulong[] _keys =
    [
        .. Enumerable.Range(0, options.Items).Select(item => XxHash64.Hash(Encoding.UTF8.GetBytes(Id(item)))),
    ];
    private readonly Batch _batch = new(BatchSize, HistoryLength);
    private readonly IngestState _ingest = new(
        new HistoryOptions { Length = HistoryLength, MaxUsers = options.Items },
        new DedupOptions { Capacity = options.Items }
    );
    private readonly ulong[] _before = new ulong[HistoryLength];
    private long _sequence;
    private long _time = 1_700_000_000_000;
    private ulong _event;

    /// <summary>Runs it.</summary>
    public async Task<PauseReport> RunAsync()
    {
        var model = new ModelOptions
        {
            Widths = [16, 32, 64, Width],
            ItemCapacity = options.Items + 1_000,
            HistoryLength = HistoryLength,
        };
        using var engine = new CpuEngine(model, Environment.ProcessorCount);
        using var trainer = new Trainer(engine, new TrainerOptions());
        var store = new CheckpointStore(Path.Combine(folder, "checkpoints"), 1, TimeProvider.System, Console.WriteLine);
        FillCatalogue(trainer);
        FillHistories();
        List<double> alone = [],
            beside = [],
            pauses = [],
            ingestAlone = [],
            ingestBeside = [],
            ingestPauses = [];
        for (int i = 0; i < 100; i++)
        {
            ingestAlone.Add(Ingest());
            alone.Add(Step(trainer));
        }

        TimeSpan collecting = GC.GetTotalPauseDuration();

        CheckpointWritten written = default;
        TimeSpan longest = TimeSpan.Zero;
        for (int checkpoint = 0; checkpoint < Checkpoints; checkpoint++)
        {
            long begun = Stopwatch.GetTimestamp();
            IngestSnapshot ingest = _ingest.Share();
            ingestPauses.Add(Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
            begun = Stopwatch.GetTimestamp();
            TrainerSnapshot snapshot = trainer.BeginSnapshot();
            pauses.Add(Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
            Task<CheckpointWritten> writing = store.WriteAsync(snapshot, ingest, [], CancellationToken.None);
            while (!writing.IsCompleted)
            {
                ingestBeside.Add(Ingest());
                beside.Add(Step(trainer));
            }

            written = await writing.ConfigureAwait(false);
            longest = written.Duration > longest ? written.Duration : longest;
        }

        return new PauseReport(
            trainer.Items.Count,
            Width,
            _ingest.Histories.UserCount,
            written.Bytes,
            Math.Round(longest.TotalSeconds, 2),
            Pause.Of(pauses),
            Pause.Of(ingestPauses),
            StepTimes.Of(alone[20..]),
            StepTimes.Of(beside),
            StepTimes.Of(ingestAlone[20..]),
            StepTimes.Of(ingestBeside),
            (GC.GetTotalPauseDuration() - collecting).TotalMilliseconds
        );
    }

    private static string Id(int item) => string.Create(CultureInfo.InvariantCulture, $"item-{item:D8}");

    private void FillCatalogue(Trainer trainer)
    {
        for (int start = 0; start < options.Items; start += 10_000)
        {
            _batch.Clear();
            _batch.Sequence = _sequence++;
            for (int item = start; item < Math.Min(start + 10_000, options.Items); item++)
            {
                _batch.ItemChanges.Add(new ItemChange { ItemKey = _keys[item], ItemId = Id(item) });
            }

            trainer.Train(_batch);
        }
    }

    private void FillHistories()
    {
        for (int round = 0; round < HistoryLength; round++)
        {
            for (int user = 0; user < options.Items; user++)
            {
                Append(user);
            }
        }
    }

    /// <summary>Ingests the events of a batch, without decoding.</summary>
    private double Ingest()
    {
        long begun = Stopwatch.GetTimestamp();
        for (int example = 0; example < BatchSize; example++)
        {
            Append(_random.Next(options.Items));
        }

        return Stopwatch.GetElapsedTime(begun).TotalMilliseconds;
    }

    private void Append(int user)
    {
        _ingest.Dedup.TryAdd(++_event * 0x9E3779B97F4A7C15, ++_time);
        _ingest.Histories.Append(_keys[user], _keys[_random.Next(options.Items)], _time, 0, _before);
    }

    private double Step(Trainer trainer)
    {
        _batch.Clear();
        _batch.Sequence = _sequence++;
        for (int example = 0; example < BatchSize; example++)
        {
            int item = _random.Next(options.Items);
            _batch.ItemKeys[example] = _keys[item];
            _batch.Weights[example] = 1;
            _batch.EventTimes[example] = _batch.ProducedTimes[example] = 1_700_000_000_000 + _sequence;
            int end = _batch.ItemIdOffsets[example];
            _batch.ItemIdOffsets[example + 1] = end + Encoding.UTF8.GetBytes(Id(item), _batch.ItemIdBytes.AsSpan(end));
            int first = _batch.HistoryOffsets[example];
            for (int i = 0; i < HistoryLength; i++)
            {
                _batch.HistoryItems[first + i] = _keys[_random.Next(options.Items)];
            }

            _batch.HistoryOffsets[example + 1] = first + HistoryLength;
            _batch.Count++;
        }

        long begun = Stopwatch.GetTimestamp();
        trainer.Train(_batch);
        return Stopwatch.GetElapsedTime(begun).TotalMilliseconds;
    }
}
