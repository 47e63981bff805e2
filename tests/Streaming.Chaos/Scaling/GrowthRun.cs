using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using StackExchange.Redis;
using Streaming.Worker.Metrics;

namespace Streaming.Chaos.Scaling;

/// <summary>
/// What a larger catalogue costs: for each size, a worker with the default model, next to its broker and its Redis. Phases: the catalogue
/// is taken in and published; nothing moves any more; more events wait than can be trained on; events come at a rate; the worker is
/// restarted, and they come again.
/// </summary>
internal sealed class GrowthRun(GrowthOptions options, int items)
{
    private const string Model = "growth";
    private const double Ahead = 20_000;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(8);
    private readonly string _folder = Directory.CreateTempSubdirectory("streaming-growth-").FullName;

    /// <summary>Prints the table.</summary>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(string[] arguments)
    {
        GrowthOptions options;
        try
        {
            options = GrowthOptions.Parse(arguments);
        }
        catch (ArgumentException exception)
        {
            await Console.Error.WriteLineAsync(exception.Message).ConfigureAwait(false);
            return 2;
        }

        Console.WriteLine(options.Pipeline ? PipelineRow.Header : GrowthRow.Header);
        foreach (int items in options.Items)
        {
            var run = new GrowthRun(options, items);
            Console.WriteLine(
                options.Pipeline ? await run.MeasurePipelineAsync().ConfigureAwait(false) : await run.MeasureAsync().ConfigureAwait(false)
            );
        }

        return 0;
    }

    /// <summary>Where the time of a batch goes while more events wait than can be trained on.</summary>
    private async Task<object> MeasurePipelineAsync()
    {
        ChaosServers servers = await ChaosServers.StartAsync(options.Kafka, redisCluster: false).ConfigureAwait(false);
        await using ConfiguredAsyncDisposable _ = servers.ConfigureAwait(false);
        using ConnectionMultiplexer redis = await ConnectionMultiplexer.ConnectAsync(servers.Redis).ConfigureAwait(false);
        using var load = new GrowthLoad(servers.BootstrapServers, items);
        using var worker = WorkerProcess.Start(options.Worker, Settings(servers), Path.Combine(_folder, "worker.log"));
        await FillAsync(worker, load, redis).ConfigureAwait(false);
        IReadOnlyDictionary<string, double> from = new Dictionary<string, double>();
        IReadOnlyDictionary<string, double> to = from;
        double processor = 0;
        await BehindAsync(
                worker,
                load,
                figures => (from, processor) = (figures.All, figures.Processor),
                figures => (to, processor) = (figures.All, figures.Processor - processor)
            )
            .ConfigureAwait(false);
        return new PipelineRow(items, processor, from, to);
    }

    private async Task<object> MeasureAsync()
    {
        ChaosServers servers = await ChaosServers.StartAsync(options.Kafka, redisCluster: false).ConfigureAwait(false);
        await using ConfiguredAsyncDisposable _ = servers.ConfigureAwait(false);
        using ConnectionMultiplexer redis = await ConnectionMultiplexer.ConnectAsync(servers.Redis).ConfigureAwait(false);
        using var load = new GrowthLoad(servers.BootstrapServers, items);
        var probe = new FreshnessProbe(load, redis.GetDatabase(), Model, items);
        var worker = WorkerProcess.Start(options.Worker, Settings(servers), Path.Combine(_folder, "worker.log"));
        bool isDone = false;
        try
        {
            double published = await FillAsync(worker, load, redis).ConfigureAwait(false);
            (double idleWorker, double idleRedis) = await IdleAsync(worker, servers).ConfigureAwait(false);
            Figures behindFrom = default,
                behindTo = default;
            await BehindAsync(worker, load, figures => behindFrom = figures, figures => behindTo = figures).ConfigureAwait(false);
            double seconds = behindTo.Time - behindFrom.Time;
            double sustained = (behindTo.Trained - behindFrom.Trained) / seconds;
            double rate = options.Rate > 0 ? options.Rate : sustained * GrowthOptions.SustainedShare;
            Figures rateFrom = await FiguresAsync(worker).ConfigureAwait(false);
            double[] fresh = await probe.MeasureAsync(rate, options.Phase).ConfigureAwait(false);
            Figures rateTo = await FiguresAsync(worker).ConfigureAwait(false);
            await worker.TerminateAsync(Patience).ConfigureAwait(false);
            long bytes = CheckpointBytes();
            worker.Dispose();
            worker = WorkerProcess.Start(options.Worker, Settings(servers), Path.Combine(_folder, "worker.log"));
            await UntilAsync(worker, async () => await ReadAsync(worker, "streaming_items").ConfigureAwait(false) >= items)
                .ConfigureAwait(false);
            long restarted = Stopwatch.GetTimestamp();
            double[] freshAfter = await probe.MeasureAsync(rate, options.Phase).ConfigureAwait(false);
            TimeSpan rest = TimeSpan.FromMinutes(1) - Stopwatch.GetElapsedTime(restarted);
            await Task.Delay(rest > TimeSpan.Zero ? rest : TimeSpan.Zero).ConfigureAwait(false);
            Figures after = await FiguresAsync(worker).ConfigureAwait(false);
            isDone = true;
            return new GrowthRow
            {
                Items = items,
                Published = published,
                IdleWorker = idleWorker,
                IdleRedis = idleRedis,
                EventsPerSecond = sustained,
                Rate = rate,
                Scoring = (behindTo.Scoring - behindFrom.Scoring) / (behindTo.Batches - behindFrom.Batches),
                Outside = 1 - ((behindTo.Batches - behindFrom.Batches) / seconds),
                Written = (behindTo.Written - behindFrom.Written) / seconds,
                ScoringAtRate = (rateTo.Scoring - rateFrom.Scoring) / (rateTo.Batches - rateFrom.Batches),
                WorkerAtRate = (rateTo.Processor - rateFrom.Processor) / (rateTo.Time - rateFrom.Time),
                Legs = LegsOf(rateFrom.All, rateTo.All),
                Fresh = fresh,
                FreshAfterRestart = freshAfter,
                WrittenAfterRestart = after.Written,
                CheckpointBytes = bytes,
            };
        }
        catch (Exception exception) when (exception is TimeoutException or InvalidOperationException)
        {
            throw new InvalidOperationException($"{exception.Message} The worker's log is in {_folder}.", exception);
        }
        finally
        {
            worker.Dispose();
            if (isDone)
            {
                Directory.Delete(_folder, recursive: true);
            }
        }
    }

    /// <summary>The average of each leg, in milliseconds; a worker from before they were measured has none.</summary>
    private static string LegsOf(IReadOnlyDictionary<string, double> from, IReadOnlyDictionary<string, double> to)
    {
        return string.Join('/', Enum.GetNames<FreshnessLeg>().Select(name => Average(name.ToLowerInvariant())));

        string Average(string leg)
        {
            double count = Rise("count", leg);
            return count > 0 ? (1e3 * Rise("sum", leg) / count).ToString("0", CultureInfo.InvariantCulture) : "-";
        }

        double Rise(string part, string leg)
        {
            string metric = $"streaming_freshness_leg_duration_seconds_{part}{{leg=\"{leg}\"}}";
            return to.GetValueOrDefault(metric) - from.GetValueOrDefault(metric);
        }
    }

    private Dictionary<string, string> Settings(ChaosServers servers)
    {
        var settings = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["STREAMING__Kafka__BootstrapServers"] = servers.BootstrapServers,
            ["STREAMING__Kafka__Assignment"] = "Static",
            ["STREAMING__Kafka__InteractionsFormat"] = "Json",
            ["STREAMING__Kafka__ItemsFormat"] = "Json",
            ["STREAMING__Kafka__ItemsTopic"] = ChaosServers.Items,
            ["STREAMING__Redis__Configuration"] = servers.Redis,
            ["STREAMING__Redis__Model"] = Model,
            ["STREAMING__Model__ItemCapacity"] = (items + (items / 10)).ToString(CultureInfo.InvariantCulture),
            ["STREAMING__Checkpoint__Folder"] = Path.Combine(_folder, "checkpoints"),
            ["STREAMING__Pipeline__ShutdownTimeout"] = "2m",
            ["STREAMING__Pipeline__Owner"] = "growth",
            ["STREAMING__Http__Address"] = "127.0.0.1",
        };
        if (!options.Kafka)
        {
            // The embedded broker answers a request that finds nothing only after the whole wait; Kafka as soon as there is something.
            settings["STREAMING__Kafka__Client"] = "fetch.wait.max.ms=20";
        }

        foreach ((string name, string value) in options.Settings)
        {
            settings[name] = value;
        }

        return settings;
    }

    /// <summary>Sends the catalogue, and waits until all of it is in Redis.</summary>
    private async Task<double> FillAsync(WorkerProcess worker, GrowthLoad load, ConnectionMultiplexer redis)
    {
        await load.FillAsync(() => ReadAsync(worker, "streaming_items")).ConfigureAwait(false);
        long filled = Stopwatch.GetTimestamp();
        await UntilAsync(worker, async () => await redis.GetServers()[0].DatabaseSizeAsync().ConfigureAwait(false) >= items)
            .ConfigureAwait(false);
        return Stopwatch.GetElapsedTime(filled).TotalSeconds;
    }

    /// <summary>Shares of a core while nothing happens, and after all that moved has been published.</summary>
    private async Task<(double Worker, double Redis)> IdleAsync(WorkerProcess worker, ChaosServers servers)
    {
        await UntilAsync(worker, async () => await ReadAsync(worker, "streaming_refresh_pass_seconds").ConfigureAwait(false) == 0)
            .ConfigureAwait(false);
        await Task.Delay(TimeSpan.FromSeconds(5)).ConfigureAwait(false);
        (double ofWorker, double ofRedis) = (Processor(worker.Id), Processor(servers.RedisProcess));
        long begun = Stopwatch.GetTimestamp();
        await Task.Delay(options.Phase).ConfigureAwait(false);
        double seconds = Stopwatch.GetElapsedTime(begun).TotalSeconds;
        return ((Processor(worker.Id) - ofWorker) / seconds, (Processor(servers.RedisProcess) - ofRedis) / seconds);
    }

    /// <summary>Keeps more events waiting than are trained on; measures after a warm-up.</summary>
    private async Task BehindAsync(WorkerProcess worker, GrowthLoad load, Action<Figures> from, Action<Figures> to)
    {
        using var stop = new CancellationTokenSource();
        double trained = 0;
        var feeding = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                for (int i = 0; i < 1_000 && load.Sent - Volatile.Read(ref trained) < Ahead; i++)
                {
                    load.SendEvent(TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds());
                }

                await Task.Delay(20).ConfigureAwait(false);
            }
        });
        var watching = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                Volatile.Write(ref trained, (await FiguresAsync(worker).ConfigureAwait(false)).Trained);
                await Task.Delay(500).ConfigureAwait(false);
            }
        });
        await Task.Delay(TimeSpan.FromSeconds(10)).ConfigureAwait(false);
        from(await FiguresAsync(worker).ConfigureAwait(false));
        await Task.Delay(options.Phase).ConfigureAwait(false);
        to(await FiguresAsync(worker).ConfigureAwait(false));
        await stop.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(feeding, watching).ConfigureAwait(false);
        load.Flush();
        await UntilAsync(worker, async () => (await FiguresAsync(worker).ConfigureAwait(false)).Trained >= load.Sent).ConfigureAwait(false);
    }

    private async Task<Figures> FiguresAsync(WorkerProcess worker)
    {
        // The first read asks the trainer for its figures, the second gets them. A worker on a busy machine may be late with either.
        await worker.ReadAllAsync(CancellationToken.None).ConfigureAwait(false);
        await Task.Delay(300).ConfigureAwait(false);
        IReadOnlyDictionary<string, double> metrics = await worker.ReadAllAsync(CancellationToken.None).ConfigureAwait(false);
        await UntilAsync(
                worker,
                async () =>
                    metrics.Count > 0 || (metrics = await worker.ReadAllAsync(CancellationToken.None).ConfigureAwait(false)).Count > 0
            )
            .ConfigureAwait(false);
        return new Figures(
            Stopwatch.GetTimestamp() / (double)Stopwatch.Frequency,
            metrics.GetValueOrDefault("streaming_events_total{outcome=\"trained\"}"),
            metrics.GetValueOrDefault("streaming_evaluation_time_seconds"),
            metrics.GetValueOrDefault("streaming_step_duration_seconds_sum"),
            metrics.GetValueOrDefault("streaming_published{outcome=\"written\"}"),
            Processor(worker.Id),
            metrics
        );
    }

    private static async Task<double> ReadAsync(WorkerProcess worker, string metric)
    {
        double value = await worker.ReadAsync(metric, CancellationToken.None).ConfigureAwait(false);
        return double.IsNaN(value) ? 0 : value;
    }

    private static async Task UntilAsync(WorkerProcess worker, Func<Task<bool>> isTrue)
    {
        long begun = Stopwatch.GetTimestamp();
        while (!await isTrue().ConfigureAwait(false))
        {
            if (worker.HasExited || Stopwatch.GetElapsedTime(begun) > Patience)
            {
                throw new TimeoutException($"The worker {(worker.HasExited ? "has ended" : "is not done after " + Patience)}.");
            }

            await Task.Delay(200).ConfigureAwait(false);
        }
    }

    private static double Processor(int process)
    {
        using var running = Process.GetProcessById(process);
        return running.TotalProcessorTime.TotalSeconds;
    }

    /// <summary>The newest checkpoint.</summary>
    private long CheckpointBytes() =>
        Directory
            .GetDirectories(Path.Combine(_folder, "checkpoints"))
            .OrderByDescending(Directory.GetLastWriteTimeUtc)
            .Take(1)
            .Sum(static folder =>
                Directory.GetFiles(folder, "*", SearchOption.AllDirectories).Sum(static file => new FileInfo(file).Length)
            );

    private readonly record struct Figures(
        double Time,
        double Trained,
        double Scoring,
        double Batches,
        double Written,
        double Processor,
        IReadOnlyDictionary<string, double> All
    );
}
