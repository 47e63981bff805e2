using System.Diagnostics;
using System.Globalization;
using StackExchange.Redis;
using Streaming.Lab.Embedded;
using Streaming.Worker.Commands;
using Streaming.Worker.Run;

namespace Streaming.Chaos;

/// <summary>
/// A long steady load with one fault after another, 26 seconds apart; the worker is restarted
/// once, in the middle. Samples memory, handles, threads and lag of the worker once a second.
/// </summary>
internal sealed class SoakRun(ChaosOptions options, string folder, string program)
{
    private const int Partitions = 4;
    private const long RecordsAhead = 40_000;
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(26);
    private readonly TimeSpan _faultLength = TimeSpan.FromSeconds(options.Fault);
    private readonly Dictionary<string, int> _faults = new(StringComparer.Ordinal);
    private readonly List<List<double>> _memory = [];
    private readonly List<List<double>> _handles = [];
    private readonly List<List<double>> _threads = [];
    private readonly List<List<double>> _lag = [];
    private int _turn;

    private TimeSpan FaultInterval => _faultLength + Rest;

    /// <summary>Runs it.</summary>
    public async Task<SoakReport> RunAsync()
    {
        using var broker = new EmbeddedBroker();
        broker.CreateTopic("interactions", Partitions);
        broker.CreateTopic("interactions.dead-letters", 1);
        await using LocalRedisServer redis = await LocalRedisServer.StartAsync().ConfigureAwait(false);
        Dictionary<string, string> settings = ChaosRun.Settings(folder, broker.BootstrapServers, redis.Configuration);
        settings["STREAMING__Kafka__Assignment"] = "static";
        WorkerOptions values = WorkerSettings.Options(settings);
        using var stream = new EventStream(values.Kafka, options.Seed, options.Rate) { Pause = TimeSpan.FromMilliseconds(50) };
        using var stopping = new CancellationTokenSource();
        stream.AllowUpTo(RecordsAhead);
        var producing = Task.Run(() => stream.RunAsync(stopping.Token), CancellationToken.None);

        long begun = Stopwatch.GetTimestamp();
        var life = TimeSpan.FromMinutes(options.Minutes / 2);
        using (WorkerProcess first = Start(settings, "first"))
        {
            await LiveAsync(first, life, stream, broker, redis).ConfigureAwait(false);
            await StopAsync(first).ConfigureAwait(false);
            Count("sigterm");
        }

        using WorkerProcess second = Start(settings, "second");
        await LiveAsync(second, life, stream, broker, redis).ConfigureAwait(false);
        double minutes = Stopwatch.GetElapsedTime(begun).TotalMinutes;
        await stopping.CancelAsync().ConfigureAwait(false);
        await producing.ConfigureAwait(false);
        await CatchUp.WaitAsync(second, TimeSpan.FromMinutes(10)).ConfigureAwait(false);
        await StopAsync(second).ConfigureAwait(false);

        using ConnectionMultiplexer connection = await ConnectionMultiplexer.ConnectAsync(redis.Configuration).ConfigureAwait(false);
        var verification = new Verification(values);
        await verification.RunAsync(stream.Expected, connection.GetDatabase()).ConfigureAwait(false);
        foreach (string finding in verification.Findings.Take(50))
        {
            Console.WriteLine($"  {finding}");
        }

        return new SoakReport(
            Math.Round(minutes, 2),
            stream.Sent,
            stream.Expected.Resent,
            _faults,
            Growth.Of(_memory),
            Growth.Of(_handles),
            Growth.Of(_threads),
            Growth.Of(_lag),
            verification.Lost,
            verification.Duplicated,
            verification.Stale
        );
    }

    private async Task LiveAsync(WorkerProcess worker, TimeSpan life, EventStream stream, EmbeddedBroker broker, LocalRedisServer redis)
    {
        foreach (List<List<double>> series in (List<List<double>>[])[_memory, _handles, _threads, _lag])
        {
            series.Add([]);
        }

        long begun = Stopwatch.GetTimestamp();
        TimeSpan next = FaultInterval;
        Task healing = Task.CompletedTask;
        while (Stopwatch.GetElapsedTime(begun) is var elapsed && elapsed < life)
        {
            if (elapsed > next && elapsed < life - _faultLength - FaultInterval)
            {
                next += FaultInterval;
                healing = BreakAndHealAsync(broker, redis);
            }

            await SampleAsync(worker, stream).ConfigureAwait(false);
            await Task.Delay(TimeSpan.FromSeconds(1)).ConfigureAwait(false);
        }

        await healing.ConfigureAwait(false);
    }

    private async Task BreakAndHealAsync(EmbeddedBroker broker, LocalRedisServer redis)
    {
        switch (_turn++ % 3)
        {
            case 0:
                Count("redisKilledAndEmpty");
                await redis.KillAsync().ConfigureAwait(false);
                await Task.Delay(_faultLength).ConfigureAwait(false);
                await redis.RestartAsync().ConfigureAwait(false);
                break;
            case 1:
                Count("brokerDown");
                broker.SetDown();
                await Task.Delay(_faultLength).ConfigureAwait(false);
                broker.SetUp();
                break;
            default:
                Count("redisHangs");
                await SignalAsync(redis.ProcessId, "STOP").ConfigureAwait(false);
                await Task.Delay(_faultLength).ConfigureAwait(false);
                await SignalAsync(redis.ProcessId, "CONT").ConfigureAwait(false);
                break;
        }
    }

    private async Task SampleAsync(WorkerProcess worker, EventStream stream)
    {
        if (worker.HasExited)
        {
            throw new InvalidOperationException($"The worker ended by itself with exit code {worker.ExitCode}; its log is in {folder}.");
        }

        double lag = await worker.ReadAsync("streaming_lag", CancellationToken.None).ConfigureAwait(false);
        if (!double.IsNaN(lag))
        {
            _lag[^1].Add(lag);
            stream.AllowUpTo(stream.Sent - (long)lag + RecordsAhead);
        }

        string[] status = await File.ReadAllLinesAsync($"/proc/{worker.Id}/status").ConfigureAwait(false);
        _memory[^1].Add(Value(status, "VmRSS:") / 1024);
        _threads[^1].Add(Value(status, "Threads:"));
        _handles[^1].Add(Directory.EnumerateFileSystemEntries($"/proc/{worker.Id}/fd").Count());
    }

    private static double Value(string[] status, string name) =>
        double.Parse(
            status.First(line => line.StartsWith(name, StringComparison.Ordinal)).Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[
                1
            ],
            CultureInfo.InvariantCulture
        );

    private static async Task SignalAsync(int process, string signal)
    {
        using var kill = Process.Start("kill", ["-" + signal, process.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync().ConfigureAwait(false);
    }

    private void Count(string fault)
    {
        _faults[fault] = _faults.GetValueOrDefault(fault) + 1;
        Console.WriteLine(fault);
    }

    private async Task StopAsync(WorkerProcess worker)
    {
        await worker.TerminateAsync(TimeSpan.FromMinutes(1)).ConfigureAwait(false);
        if (worker.ExitCode != 0)
        {
            throw new InvalidOperationException(
                $"SIGTERM ended the worker with exit code {worker.ExitCode} in place of 0; its log is in {folder}."
            );
        }
    }

    private WorkerProcess Start(Dictionary<string, string> settings, string name) =>
        WorkerProcess.Start(program, settings, Path.Combine(folder, $"worker-{name}.log"));
}
