using System.Diagnostics.Metrics;
using System.Text;
using Streaming.Core.Hashing;
using Streaming.Core.Ingestion;
using Streaming.Learning.Cpu;
using Streaming.Learning.Training;
using Streaming.Models.Options;
using Streaming.Worker.Metrics;
using Streaming.Worker.Stages;
using Xunit;

namespace Streaming.Worker.Tests.Stages;

public sealed class TrainerClockTests : IDisposable
{
    private readonly Dictionary<string, double> _seconds = [];
    private readonly WorkerMetrics _metrics = new();
    private readonly MeterListener _listener = new();
    private readonly CountingTime _time = new();

    public TrainerClockTests()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Name == "streaming.trainer.time")
            {
                listener.EnableMeasurementEvents(instrument, this);
            }
        };
        _listener.SetMeasurementEventCallback<double>(
            (_, seconds, tags, _) => _seconds[(string)tags[0].Value!] = _seconds.GetValueOrDefault((string)tags[0].Value!) + seconds
        );
        _listener.Start();
    }

    public void Dispose()
    {
        _listener.Dispose();
        _metrics.Dispose();
    }

    [Fact]
    public void Spent_PartsOfTheThread_AddUpToItsTime()
    {
        var model = new ModelOptions
        {
            Widths = [4, 8],
            ItemCapacity = 100,
            HistoryLength = 4,
            Layers = 1,
            BankCapacity = 16,
        };
        using var engine = new CpuEngine(model, 1);
        using var trainer = new Trainer(engine, new TrainerOptions { EvaluateEvery = -1 }, _time);
        var clock = new TrainerClock(_metrics, _time);
        clock.Start(trainer);
        long begun = _time.Reads;
        clock.Spent(TrainerPart.Waiting);
        trainer.Train(OfItems("a", "b"));
        TimeSpan training = clock.SpentTraining(trainer);
        clock.Spent(TrainerPart.Publishing);

        Assert.Equal(_time.Reads - begun, _seconds.Values.Sum());
        Assert.Equal(training.TotalSeconds, _seconds["scoring"] + _seconds["assembly"] + _seconds["step"]);
        Assert.Equal((1, 1, 1), (_seconds["waiting"], _seconds["step"], _seconds["publishing"]));
        Assert.True(_seconds["assembly"] > 0);
    }

    private static Batch OfItems(params string[] items)
    {
        var batch = new Batch(16, 4);
        foreach (string item in items)
        {
            byte[] id = Encoding.UTF8.GetBytes(item);
            int i = batch.Count++;
            batch.ItemKeys[i] = XxHash64.Hash(id);
            batch.Weights[i] = 1;
            batch.EventTimes[i] = batch.ProducedTimes[i] = 1;
            id.CopyTo(batch.ItemIdBytes.AsSpan(batch.ItemIdOffsets[i]));
            batch.ItemIdOffsets[i + 1] = batch.ItemIdOffsets[i] + id.Length;
            batch.HistoryOffsets[i + 1] = batch.HistoryOffsets[i];
        }

        return batch;
    }

    /// <summary>A clock on which each look takes a second.</summary>
    private sealed class CountingTime : TimeProvider
    {
        public long Reads { get; private set; }

        public override long TimestampFrequency => 1;

        public override long GetTimestamp() => ++Reads;
    }
}
