using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using StackExchange.Redis;
using Streaming.Core.Metrics;
using Streaming.Lab.Embedded;
using Streaming.Transport.Redis;

namespace Streaming.Chaos.Serving;

/// <summary>
/// `streaming serve` over a large catalogue in a real Redis, asked over HTTP and gRPC by callers that each wait for their answer; then
/// neighbours in turns without and with the trainer's publisher writing as fast as it can. Callers, publisher, Redis and server share the
/// machine.
/// </summary>
internal sealed class ServingRun(ServingOptions options)
{
    private const int Turns = 4;
    private const int WarmUp = 50;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(30);

    /// <summary>Prints the tables.</summary>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(string[] arguments)
    {
        ServingOptions options;
        try
        {
            options = ServingOptions.Parse(arguments);
        }
        catch (ArgumentException exception)
        {
            await Console.Error.WriteLineAsync(exception.Message).ConfigureAwait(false);
            return 2;
        }

        await new ServingRun(options).MeasureAsync().ConfigureAwait(false);
        return 0;
    }

    private async Task MeasureAsync()
    {
        LocalRedisServer redis = await LocalRedisServer.StartAsync().ConfigureAwait(false);
        await using ConfiguredAsyncDisposable _ = redis.ConfigureAwait(false);
        var settings = new RedisOptions { Configuration = redis.Configuration };
        using ConnectionMultiplexer connection = await RedisConnection.OpenAsync(settings, CancellationToken.None).ConfigureAwait(false);
        var catalogue = new PublishedCatalogue(connection.GetDatabase(), settings, options.Items);
        long begun = Stopwatch.GetTimestamp();
        await catalogue.PublishAsync().ConfigureAwait(false);
        Write($"{options.Items:N0} items × 128 Float16 published in {Stopwatch.GetElapsedTime(begun).TotalSeconds:F0} s");

        string log = Path.Combine(Path.GetTempPath(), $"streaming-serving-{Environment.ProcessId}.log");
        int grpcPort = WorkerProcess.FreePort();
        begun = Stopwatch.GetTimestamp();
        using var server = WorkerProcess.Start(options.Worker, Settings(redis.Configuration, grpcPort), log, "serve");
        await ReadyAsync(server, log).ConfigureAwait(false);
        Write(
            $"served after {Stopwatch.GetElapsedTime(begun).TotalSeconds:F0} s; {options.Callers} callers; {Environment.ProcessorCount} cores"
        );
        using var calls = new ServingCalls(server.Address, new Uri($"http://127.0.0.1:{grpcPort}"), options.Items);
        await CompareAsync(calls).ConfigureAwait(false);
        if (options.Only.Contains("publishing"))
        {
            await PublishingAsync(calls, catalogue, server).ConfigureAwait(false);
        }

        await server.TerminateAsync(Patience).ConfigureAwait(false);
        File.Delete(log);
    }

    private async Task CompareAsync(ServingCalls calls)
    {
        (string Kind, string Name, Func<Random, Task> Send)[] kinds = new[] { ("http", calls.Http), ("grpc", calls.Grpc) }
            .Where(kind => options.Only.Contains(kind.Item1))
            .SelectMany(static kind => kind.Item2.Select(call => (Kind: kind.Item1, call.Name, call.Send)))
            .ToArray();
        if (kinds.Length > 0)
        {
            Console.WriteLine("\n| | request | a second | p50 ms | p99 ms |\n|---|---|---:|---:|---:|");
        }

        foreach ((string kind, string name, Func<Random, Task> send) in kinds)
        {
            (LatencyHistogram times, double rate) = await LoadAsync(send, options.Callers, 0).ConfigureAwait(false);
            Write($"| {kind} | {name} | {rate:N0} | {times.Quantile(0.5):F2} | {times.Quantile(0.99):F2} |");
        }
    }

    /// <summary>Neighbours for one caller, without and with a publisher, in turns.</summary>
    private async Task PublishingAsync(ServingCalls calls, PublishedCatalogue catalogue, WorkerProcess server)
    {
        Console.WriteLine(
            "\n| turn | written a second | without: p50 ms | p99 ms | publishing: p50 ms | p99 ms | p99 times | collections | cores |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|"
        );
        List<double> ratios = [];
        for (int turn = 0; turn < Turns; turn++)
        {
            (LatencyHistogram quiet, _) = await LoadAsync(calls.Neighbours, 1, turn).ConfigureAwait(false);
            using var stop = new CancellationTokenSource();
            IReadOnlyDictionary<string, double> before = await server.ReadAllAsync(CancellationToken.None).ConfigureAwait(false);
            long begun = Stopwatch.GetTimestamp();
            Task<long> publishing = Task.Run(() => catalogue.PublishAgainAsync(stop.Token));
            (LatencyHistogram busy, _) = await LoadAsync(calls.Neighbours, 1, turn).ConfigureAwait(false);
            double seconds = Stopwatch.GetElapsedTime(begun).TotalSeconds;
            IReadOnlyDictionary<string, double> after = await server.ReadAllAsync(CancellationToken.None).ConfigureAwait(false);
            await stop.CancelAsync().ConfigureAwait(false);
            double written = await publishing.ConfigureAwait(false) / Stopwatch.GetElapsedTime(begun).TotalSeconds;
            double collecting = Share("dotnet_gc_pause_time_seconds_total"),
                cores = Share("dotnet_process_cpu_time_seconds_total");
            ratios.Add(busy.Quantile(0.99) / quiet.Quantile(0.99));
            Write(
                $"| {turn + 1} | {written:N0} | {quiet.Quantile(0.5):F2} | {quiet.Quantile(0.99):F2} | {busy.Quantile(0.5):F2} | {busy.Quantile(0.99):F2} | {ratios[^1]:F2} | {collecting:P1} | {cores:F2} |"
            );
            double Share(string metric) => (Sum(after, metric) - Sum(before, metric)) / seconds;

            // The index catches up before the next turn.
            await Task.Delay(options.Phase).ConfigureAwait(false);
        }

        Write($"p99 with a publisher at full speed: {ratios.Order().ElementAt(Turns / 2):F2} times that without (median of {Turns})");
    }

    private async Task<(LatencyHistogram Times, double Rate)> LoadAsync(Func<Random, Task> send, int callers, int seed)
    {
        for (int i = 0; i < WarmUp; i++)
        {
            await send(new Random(i)).ConfigureAwait(false);
        }

        LatencyHistogram times = new();
        long begun = Stopwatch.GetTimestamp();
        await Task.WhenAll(
                Enumerable
                    .Range(0, callers)
                    .Select(caller =>
                        Task.Run(async () =>
                        {
                            Random random = new((1000 * seed) + caller);
                            while (Stopwatch.GetElapsedTime(begun) < options.Phase)
                            {
                                long sent = Stopwatch.GetTimestamp();
                                await send(random).ConfigureAwait(false);
                                times.Record(Stopwatch.GetElapsedTime(sent));
                            }
                        })
                    )
            )
            .ConfigureAwait(false);
        return (times, times.Count / Stopwatch.GetElapsedTime(begun).TotalSeconds);
    }

    /// <summary>Waits until the index is loaded and, if one is wanted, its graph is built.</summary>
    private async Task ReadyAsync(WorkerProcess server, string log)
    {
        bool isApproximate = options.Settings.TryGetValue("STREAMING__Serve__Approximate", out string? set) && set == "true";
        string metric = isApproximate ? "streaming_index_graph_vectors" : "streaming_index_items";
        long begun = Stopwatch.GetTimestamp();
        while (!(await server.ReadAsync(metric, CancellationToken.None).ConfigureAwait(false) >= options.Items))
        {
            if (server.HasExited || Stopwatch.GetElapsedTime(begun) > Patience)
            {
                throw new TimeoutException(
                    $"The server {(server.HasExited ? "has ended" : "is not ready after " + Patience)}; its log: {log}"
                );
            }

            await Task.Delay(200).ConfigureAwait(false);
        }
    }

    private Dictionary<string, string> Settings(string redis, int grpcPort)
    {
        var settings = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["STREAMING__Redis__Configuration"] = redis,
            ["STREAMING__Http__Address"] = "127.0.0.1",
            ["STREAMING__Http__GrpcPort"] = grpcPort.ToString(CultureInfo.InvariantCulture),
        };
        foreach ((string name, string value) in options.Settings)
        {
            settings[name] = value;
        }

        return settings;
    }

    private static double Sum(IReadOnlyDictionary<string, double> series, string metric) =>
        series.Where(pair => pair.Key.StartsWith(metric, StringComparison.Ordinal)).Sum(static pair => pair.Value);

    private static void Write(FormattableString text) => Console.WriteLine(text.ToString(CultureInfo.InvariantCulture));
}
