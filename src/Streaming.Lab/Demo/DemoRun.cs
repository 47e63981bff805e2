using System.Globalization;
using Microsoft.Extensions.Logging;
using Spectre.Console;
using StackExchange.Redis;
using Streaming.Core.Events;
using Streaming.Formats.Inputs;
using Streaming.Lab.Demo.Report;
using Streaming.Lab.Embedded;
using Streaming.Lab.Feeds;
using Streaming.Learning.Checkpoints;
using Streaming.Transport.Kafka;
using Streaming.Transport.Kafka.Clients;
using Streaming.Transport.Kafka.Native;
using Streaming.Transport.Redis;
using Streaming.Worker.Engine;
using Streaming.Worker.Failures;
using Streaming.Worker.Figures;
using Streaming.Worker.Generations;
using Streaming.Worker.Health;
using Streaming.Worker.Http;
using Streaming.Worker.Metrics;
using Streaming.Worker.Otlp;
using Streaming.Worker.Outputs;
using Streaming.Worker.Page;
using Streaming.Worker.Run;
using Streaming.Worker.Serve;
using Streaming.Worker.Shutdown;
using Streaming.Worker.Stages;

namespace Streaming.Lab.Demo;

/// <summary>A demo: its own servers, the feed, the pipeline, the lookups, and the report.</summary>
internal sealed class DemoRun : IAsyncDisposable
{
    private const int Partitions = 4;
    private static readonly TimeSpan Glance = TimeSpan.FromMilliseconds(20);

    private readonly EventFeed _feed;
    private readonly DemoOptions _options;
    private readonly TimeProvider _time;
    private readonly ILoggerFactory _loggers;
    private readonly TextWriter _output;
    private readonly WorkerMetrics _metrics = new();
    private readonly HealthReport _health = new();
    private readonly HealthMetrics _healthMetrics;
    private readonly PrometheusExposition _exposition;
    private readonly FigureHistory _figures;
    private WorkerOptions _settings;
    private Pipeline? _pipeline;
    private long _start;
    private long _lastRead;
    private long _lastSnapshot;

    /// <summary>Creates a demo; nothing starts before <see cref="RunAsync"/>.</summary>
    public DemoRun(
        WorkerOptions settings,
        EventFeed feed,
        DemoOptions options,
        TimeProvider time,
        ILoggerFactory loggers,
        TextWriter output
    )
    {
        _healthMetrics = new HealthMetrics(_health);
        _exposition = new PrometheusExposition(settings.Redis.Model, Telemetry.Meters);
        _figures = new FigureHistory(() => _pipeline?.Status(), time);

        // No checkpoints: nothing outlives the demo. Its report is of every event, and of batches of one size, unless a setting says
        // otherwise.
        _settings = settings with
        {
            Batching =
                settings.Batching.MaxBatchSize == 0
                    ? settings.Batching with
                    {
                        MaxBatchSize = settings.Batching.BatchSize,
                    }
                    : settings.Batching,
            Training = settings.Training with
            {
                EvaluateEvery = settings.Training.EvaluateEvery is 0 ? 1 : settings.Training.EvaluateEvery,
            },
            Checkpoint = settings.Checkpoint with { Folder = string.Empty },
        };
        _feed = feed;
        _options = options;
        _time = time;
        _loggers = loggers;
        _output = output;
    }

    /// <summary>Runs the demo to its end, or until a signal.</summary>
    public async Task<ExitCode> RunAsync()
    {
        EngineFactory.RequireDevice(_settings.Engine);
        using var signals = new ShutdownSignals(
            _settings.Pipeline.ShutdownTimeout,
            _time,
            static () => ProcessEnd.Now((int)ExitCode.Aborted)
        );
        using IDisposable? telemetry = Telemetry.Start(
            _settings.Telemetry,
            _settings.Redis.Model,
            _loggers.CreateLogger(nameof(Telemetry))
        );
        using EmbeddedBroker broker = StartBroker();
        await using LocalRedisServer server = await StartRedisAsync(signals.Abort).ConfigureAwait(false);
        using ConnectionMultiplexer redis = await RedisConnection.OpenAsync(_settings.Redis, signals.Abort).ConfigureAwait(false);
        using var lookups = new Lookups(
            redis.GetDatabase(),
            _settings.Redis,
            _settings.Serve,
            _settings.Model.Widths,
            _feed.TitleOf,
            _time
        );
        var generations = new GenerationList(redis.GetDatabase(), _settings.Redis, _settings.Model.Widths, _time);
        using var model = new ModelMetrics(() => new ServedGenerations(lookups).Served);
        await using HttpEndpoint http = await ListenAsync(lookups, generations, signals.Abort).ConfigureAwait(false);
        await _output
            .WriteLineAsync($"kafka {broker.BootstrapServers}, redis {server.Configuration}, http {http.Address}")
            .ConfigureAwait(false);
        await _output.WriteLineAsync(_feed.Description).ConfigureAwait(false);

        var store = new DemoStore(redis, _settings.Redis);
        long before = await store.UsedBytesAsync().ConfigureAwait(false);
        using var pipeline = Pipeline.Open(
            _settings,
            RunPlan.First,
            redis.GetDatabase(),
            CheckpointFence.None with
            {
                Token = 1,
            },
            _metrics,
            _health,
            _time,
            _loggers
        );
        _pipeline = pipeline;
        using IDisposable sampling = _figures.Start();
        (long produced, TimeSpan elapsed) = await LearnAsync(pipeline, signals).ConfigureAwait(false);

        await lookups.Updater.RefreshAsync(signals.Abort).ConfigureAwait(false);
        DemoReport report = await DemoReporter
            .CreateAsync(_feed, _settings.Model, pipeline, lookups, store, before, produced, elapsed)
            .ConfigureAwait(false);
        await _output.WriteLineAsync(DemoReporter.Describe(report)).ConfigureAwait(false);
        OutputFile.Write(_options.ReportFile, report.ToJson());
        CheckUsed(pipeline.Status().Counts);
        if (_options.Serve && !signals.Stopping.IsCancellationRequested)
        {
            await _output.WriteLineAsync($"serving lookups at {http.Address} until Ctrl-C").ConfigureAwait(false);
            await Task.Delay(Timeout.InfiniteTimeSpan, _time, signals.Stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        return ExitCode.Success;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _exposition.Dispose();
        _metrics.Dispose();
        _healthMetrics.Dispose();
        return ValueTask.CompletedTask;
    }

    // The worker's own limit applies to a full window of records; a file may have fewer.
    private void CheckUsed(EventCounts counts)
    {
        double most = _settings.Kafka.MaxDeadLetterRate;
        if (_feed.Count is not null && counts.Read > 0 && (counts.DeadLettered > most * counts.Read || counts.DeadLettered == counts.Read))
        {
            throw new InputFileException(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{counts.DeadLettered} of {counts.Read} events are dead letters; allowed: a share of {most} "
                        + $"(STREAMING__Kafka__MaxDeadLetterRate). /metrics and the dead-letter topic show the reasons. With "
                        + $"STREAMING__Events__Strict, only the types in STREAMING__Events__Weights are accepted."
                )
            );
        }
    }

    /// <summary>Feeds and trains until everything that was sent has been trained on, published and made visible.</summary>
    private async Task<(long Produced, TimeSpan Elapsed)> LearnAsync(Pipeline pipeline, ShutdownSignals signals)
    {
        using var drain = new CancellationTokenSource();
        using var shown = new CancellationTokenSource();
        Task learning = pipeline.RunAsync(drain.Token, signals.Abort);
        try
        {
            using var producer = new EventProducer(_settings.Kafka);
            var pump = new FeedPump(
                _feed,
                producer,
                _settings.Kafka,
                _options.Pace with
                {
                    Consumed = () => pipeline.Status().Counts.Read,
                },
                _time
            );
            _start = _lastSnapshot = _time.GetTimestamp();
            Task showing = View().RunAsync(() => Snapshot(pipeline, pump), _options.Interval, shown.Token);
            using var stopFeed = CancellationTokenSource.CreateLinkedTokenSource(signals.Stopping);
            Task feeding = pump.RunAsync(stopFeed.Token);
            if (await Task.WhenAny(feeding, learning).ConfigureAwait(false) == learning)
            {
                await stopFeed.CancelAsync().ConfigureAwait(false);
                await learning.ConfigureAwait(false);
            }

            await feeding.ConfigureAwait(false);
            while (pipeline.Status().Counts.Read < pump.Produced && !learning.IsCompleted)
            {
                await Task.Delay(Glance, _time, signals.Abort).ConfigureAwait(false);
            }

            TimeSpan elapsed = _time.GetElapsedTime(_start);
            await drain.CancelAsync().ConfigureAwait(false);
            await learning.ConfigureAwait(false);
            await shown.CancelAsync().ConfigureAwait(false);
            await showing.ConfigureAwait(false);
            return (pump.Produced, elapsed);
        }
        finally
        {
            await shown.CancelAsync().ConfigureAwait(false);
            await drain.CancelAsync().ConfigureAwait(false);
            await learning.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private DemoView View() =>
        ReferenceEquals(_output, Console.Out) && !Console.IsOutputRedirected
            ? new LiveView(AnsiConsole.Console, _time)
            : new LineView(_output, _time);

    private DemoSnapshot Snapshot(Pipeline pipeline, FeedPump pump)
    {
        PipelineStatus status = pipeline.Status();
        double seconds = _time.GetElapsedTime(_lastSnapshot).TotalSeconds;
        double rate = seconds > 0 ? (status.Counts.Read - _lastRead) / seconds : 0;
        _lastSnapshot = _time.GetTimestamp();
        _lastRead = status.Counts.Read;
        return new DemoSnapshot(_time.GetElapsedTime(_start), pump.Produced, _feed.Count, rate, status);
    }

    private EmbeddedBroker StartBroker()
    {
        KafkaLibrary.Load(_loggers.CreateLogger<DemoRun>());
        var broker = new EmbeddedBroker();
        KafkaOptions given = _settings.Kafka;

        // The demo's records have the contract's shape, and its broker neither security nor groups, whatever the settings say about yours.
        // The embedded broker answers an empty fetch only when its wait time, half a second by default, is over, even if events arrive.
        KafkaOptions kafka = given with
        {
            BootstrapServers = broker.BootstrapServers,
            Assignment = KafkaAssignment.Static,
            GroupProtocol = KafkaGroupProtocol.Classic,
            GroupInstanceId = string.Empty,
            SecurityProtocol = "plaintext",
            SaslMechanism = string.Empty,
            InteractionsColumns = string.Empty,
            ItemsColumns = string.Empty,
            Client = new Dictionary<string, string>(given.Client, StringComparer.Ordinal)
            {
                ["fetch.wait.max.ms"] = given.Client.GetValueOrDefault("fetch.wait.max.ms", "20"),
            },
        };
        _settings = _settings with { Kafka = kafka };
        broker.CreateTopic(kafka.InteractionsTopic, Partitions);
        broker.CreateTopic(kafka.DeadLetterTopic, 1);
        if (kafka.ItemsTopic.Length > 0)
        {
            broker.CreateTopic(kafka.ItemsTopic, Partitions);
        }

        return broker;
    }

    private async Task<LocalRedisServer> StartRedisAsync(CancellationToken cancellationToken)
    {
        try
        {
            LocalRedisServer server = await LocalRedisServer.StartAsync(null, cancellationToken).ConfigureAwait(false);
            // A server of our own: INFO, which reports its memory, requires administration rights.
            _settings = _settings with
            {
                Redis = _settings.Redis with { Configuration = server.Configuration + ",allowAdmin=true", PasswordFile = null },
            };
            return server;
        }
        catch (Exception exception) when (exception is FileNotFoundException or InvalidOperationException)
        {
            throw new ServerUnavailableException(exception.Message, exception);
        }
    }

    /// <summary>Listens on the port of the settings, or on any free port if that one is taken.</summary>
    private async Task<HttpEndpoint> ListenAsync(Lookups lookups, GenerationList generations, CancellationToken cancellationToken)
    {
        HttpOptions options = _settings.Http;
        var served = new ServedGenerations(lookups);
        try
        {
            return await HttpEndpoint
                .StartAsync(
                    options with
                    {
                        Port = Math.Max(options.Port, 0),
                    },
                    _loggers,
                    Map,
                    cancellationToken,
                    new IndexService(lookups, _settings.Serve, _health, _time, _loggers)
                )
                .ConfigureAwait(false);
        }
        catch (ServerUnavailableException)
        {
            return await HttpEndpoint
                .StartAsync(
                    options with
                    {
                        Port = 0,
                    },
                    _loggers,
                    Map,
                    cancellationToken,
                    new IndexService(lookups, _settings.Serve, _health, _time, _loggers)
                )
                .ConfigureAwait(false);
        }

        void Map(Microsoft.AspNetCore.Routing.IEndpointRouteBuilder routes)
        {
            OperationsRoutes.Map(routes, _health, _exposition);
            LookupRoutes.Map(routes, served, options);
            RecommendationRoutes.Map(routes, served, options);
            BecauseRoutes.Map(routes, served, options);
            ListRoutes.Map(routes, served, options);
            CatalogueRoutes.Map(routes, served);
            ApiDescription.Map(routes);
            PageRoutes.Map(
                routes,
                new PageSource
                {
                    Model = _settings.Redis.Model,
                    Pipeline = () => _pipeline?.Status(),
                    Figures = _figures,
                    Served = served,
                    Generations = () => generations,
                }
            );
        }
    }
}
