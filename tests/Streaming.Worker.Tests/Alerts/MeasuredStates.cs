using Microsoft.Extensions.Logging.Abstractions;
using Serilog.Events;
using Serilog.Parsing;
using Streaming.Core.Events;
using Streaming.Learning.Training;
using Streaming.Transport.Kafka;
using Streaming.Transport.Kafka.Clients;
using Streaming.Transport.Kafka.Readers;
using Streaming.Transport.Redis.Publishing;
using Streaming.Worker.Health;
using Streaming.Worker.Logging;
using Streaming.Worker.Metrics;
using Streaming.Worker.Otlp;
using Streaming.Worker.Stages;
using Streaming.Worker.Tests.Stages;

namespace Streaming.Worker.Tests.Alerts;

/// <summary>
/// The meters and health checks of a worker, and what they are told: a worker's /metrics in any state, without the servers that would
/// bring it there.
/// </summary>
internal sealed class MeasuredStates : IDisposable
{
    public const string Events = "interactions";
    public const string Items = "items";

    /// <summary>The time between two scrapes of a state.</summary>
    public static readonly TimeSpan Apart = TimeSpan.FromSeconds(5);

    private readonly WorkerMetrics _metrics = new();
    private readonly HealthMetrics _levels;
    private readonly ManualResetEventSlim _logIsRead = new(initialState: true);
    private readonly BackgroundSink _log;
    private readonly PrometheusExposition _exposition = new("shop", Telemetry.Meters);
    private readonly EventMix _mix = new();
    private readonly PipelineHealth _parts;
    private long _batches;

    public MeasuredStates()
    {
        _levels = new HealthMetrics(Health);
        _log = new BackgroundSink(_ => _logIsRead.Wait());
        _parts = new PipelineHealth(
            new PipelineOptions(),
            Events,
            Items,
            1_000,
            TimeSpan.FromMinutes(1),
            Health,
            Time,
            NullLogger.Instance
        );
        Status = PipelineStatus.Empty with
        {
            Source = KafkaSourceStatus.None with
            {
                IsCatalogueRead = true,
                Partitions = [new PartitionLag(Events, 0, 0), new PartitionLag(Items, 0, 0)],
                Missing = [new MissingRecords(Events, 0), new MissingRecords(Items, 0)],
            },
            Trainer = new TrainerStatus
            {
                Widths = [8],
                Recall = [Recall(0.2)],
                Popularity = Recall(0.1),
                Counters = new TrainerCounters { Steps = 10_000 },
            },
            Published = new PublishMetrics(Time),
        };
        _metrics.Observe(() => Status);
    }

    public ManualTime Time { get; } = new();

    public HealthReport Health { get; } = new();

    /// <summary>Gets or sets what the pipeline reports.</summary>
    public PipelineStatus Status { get; set; }

    /// <summary>Gets or sets what happens to events between two scrapes.</summary>
    public EventCounts Flow { get; set; } = Trained(100);

    /// <summary>Gets or sets whether the trainer finishes batches.</summary>
    public bool Stalls { get; set; }

    /// <summary>Gets or sets what else happens between two scrapes.</summary>
    public Action<WorkerMetrics> Happens { get; set; } = static _ => { };

    public static EventCounts Trained(int count) =>
        new()
        {
            Read = count,
            Decoded = count,
            Trained = count,
        };

    public static SegmentRecall Recall(double value) => new(value, value, value, value, value, value, value, 1_000);

    /// <summary>Two scrapes, once the state has lasted for longer than any check waits.</summary>
    public (Exposition First, Exposition Second) Scrape()
    {
        for (int i = 0; i < 12; i++)
        {
            Pass(TimeSpan.FromMinutes(1));
        }

        var first = new Exposition(_exposition.Render());
        Pass(Apart);
        return (first, new Exposition(_exposition.Render()));
    }

    /// <summary>Reads the log no more, while it is written to.</summary>
    public void HangLog()
    {
        _logIsRead.Reset();
        Write(BackgroundSink.Capacity + 1);
        Happens = _ => Write(7);
    }

    public void ReleaseLog() => _logIsRead.Set();

    public void Dispose()
    {
        _logIsRead.Set();
        _exposition.Dispose();
        _log.Dispose();
        _levels.Dispose();
        _metrics.Dispose();
        _logIsRead.Dispose();
    }

    private void Write(int lines)
    {
        var line = new LogEvent(DateTimeOffset.UnixEpoch, LogEventLevel.Information, null, new MessageTemplateParser().Parse("line"), []);
        for (int i = 0; i < lines; i++)
        {
            _log.Emit(line);
        }
    }

    private void Pass(TimeSpan time)
    {
        Time.Advance(time);
        _mix.Add(Flow);
        _metrics.RecordEvents(Flow);
        Happens(_metrics);
        _batches += Stalls ? 0 : 1;
        Status = Status with { Recent = _mix.Recent };

        // As Pipeline.UpdateHealth.
        _parts.Kafka(Status.Source);
        _parts.Vectors(Status.Published!.Refused);
        _parts.Keys(Status.Published, new PublishMetrics(Time));
        _parts.Events(_mix);
        _parts.Catalogue(
            Status.Trainer.ItemCounters,
            Status.Source.Rejected.Where(rejected => rejected.Topic == Items).Sum(rejected => rejected.Records),
            Status.Trainer.WithoutFeatures
        );
        _parts.Refresh(Status.Trainer.Items, Status.Trainer.RefreshPass, isTaken: !Status.Published.Degraded);
        _parts.Trainer(_batches, waiting: Status.Source is { Lag: > 0, IsDegraded: false });
    }
}
