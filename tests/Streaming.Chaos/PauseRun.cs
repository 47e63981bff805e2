using System.Diagnostics;
using System.Globalization;
using System.Text;
using Streaming.Core;
using Streaming.Learning;

namespace Streaming.Chaos;

/// <summary>Measures for how long checkpoints hold up training: a full catalogue, steps without end, one checkpoint after the other.</summary>
internal sealed class PauseRun(ChaosOptions options, string folder)
{
    private const int Width = 128;
    private const int BatchSize = 256;
    private const int HistoryLength = 20;
    private const int Checkpoints = 4;
    private readonly Random _random = new(options.Seed);
    private readonly ulong[] _keys = [.. Enumerable.Range(0, options.Items).Select(item => XxHash64.Hash(Encoding.UTF8.GetBytes(Id(item))))];
    private readonly Batch _batch = new(BatchSize, HistoryLength);
    private long _sequence;

    /// <summary>Runs it.</summary>
    public async Task<PauseReport> RunAsync()
    {
        var model = new ModelOptions { Widths = [16, 32, 64, Width], ItemCapacity = options.Items + 1_000, HistoryLength = HistoryLength };
        using var engine = new CpuEngine(model, Environment.ProcessorCount);
        using var trainer = new Trainer(engine, new TrainerOptions());
        var store = new CheckpointStore(Path.Combine(folder, "checkpoints"), 1, TimeProvider.System, Console.WriteLine);
        FillCatalogue(trainer);
        List<double> alone = [], beside = [], pauses = [];
        for (int i = 0; i < 100; i++)
        {
            alone.Add(Step(trainer));
        }

        CheckpointWritten written = default;
        TimeSpan longest = TimeSpan.Zero;
        for (int checkpoint = 0; checkpoint < Checkpoints; checkpoint++)
        {
            long begun = Stopwatch.GetTimestamp();
            TrainerSnapshot snapshot = trainer.BeginSnapshot();
            pauses.Add(Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
            Task<CheckpointWritten> writing = store.WriteAsync(snapshot, null, [], CancellationToken.None);
            while (!writing.IsCompleted)
            {
                beside.Add(Step(trainer));
            }

            written = await writing.ConfigureAwait(false);
            longest = written.Duration > longest ? written.Duration : longest;
        }

        return new PauseReport(
            trainer.Items.Count, Width, written.Bytes, Math.Round(longest.TotalSeconds, 2), new Pause(pauses[0], pauses.Skip(1).Max()), StepTimes.Of(alone[20..]), StepTimes.Of(beside));
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
