using System.Diagnostics;
using System.Globalization;
using StackExchange.Redis;
using Streaming.Learning.Checkpoints;
using Streaming.Worker.Commands;
using Streaming.Worker.Run;

namespace Streaming.Chaos;

/// <summary>
/// Workers are killed one after the other at random times under load, as are the servers if there are several of
/// them. The last worker catches up and is stopped; then everything is compared.
/// </summary>
/// <param name="options">Which faults.</param>
/// <param name="folder">For checkpoints and logs.</param>
/// <param name="program">The worker's executable.</param>
/// <param name="hosts">Where the ranks of jobs run; null: on this machine.</param>
internal sealed class ChaosRun(ChaosOptions options, string folder, string program, RankHosts? hosts = null)
{
    /// <summary>The embedded broker keeps about 5 MB per partition; the stream stays well within that.</summary>
    private const long RecordsAhead = 40_000;

    private static readonly TimeSpan CatchUpTimeout = TimeSpan.FromMinutes(3);
    private readonly Random _random = new(options.Seed);
    private readonly List<double> _recoveryTimes = [];
    private int _recoveries;
    private int _unrecovered;
    private long _killed;
    private int _whileStarting;
    private int _whileWriting;
    private int _whileInGroup;
    private readonly RankDeaths _deaths = new(new Random(options.Seed), hosts);
    private readonly SortedSet<int> _ranks = [];

    /// <summary>Runs it.</summary>
    public async Task<ChaosReport> RunAsync()
    {
        await using ChaosServers servers = await ChaosServers.StartAsync(options.Kafka, options.RedisCluster).ConfigureAwait(false);
        ServerKills serverKills = new(servers, new Random(options.Seed));
        Task healing = Task.CompletedTask;
        Dictionary<string, string> settings = Settings(folder, servers.BootstrapServers, servers.Redis);
        WorkerOptions values = WorkerSettings.Options(settings);

        using var stream = new EventStream(values.Kafka, options.Seed, options.Rate);
        using var stopping = new CancellationTokenSource();
        stream.AllowUpTo(RecordsAhead);
        var producing = Task.Run(() => stream.RunAsync(stopping.Token), CancellationToken.None);
        for (int kill = 0; kill < options.Kills; kill++)
        {
            if (healing.IsCompleted)
            {
                await healing.ConfigureAwait(false);
                healing = serverKills.KillOneAsync();
            }

            await LiveAndDieAsync(kill, settings, stream).ConfigureAwait(false);
        }

        await healing.ConfigureAwait(false);
        await FinishAsync(settings, stream, stopping, producing).ConfigureAwait(false);
        using ConnectionMultiplexer connection = await ConnectionMultiplexer.ConnectAsync(servers.Redis).ConfigureAwait(false);
        var verification = new Verification(values);
        await verification.RunAsync(stream.Expected, connection.GetDatabase()).ConfigureAwait(false);
        foreach (string finding in verification.Findings.Take(50))
        {
            Console.WriteLine($"  {finding}");
        }

        double[] sorted = [.. _recoveryTimes.Order()];
        return new ChaosReport(
            options.Kills,
            _recoveries,
            new RecoveryTimes(sorted.Length == 0 ? 0 : sorted[sorted.Length / 2], sorted.Length == 0 ? 0 : sorted[^1]),
            verification.Lost,
            verification.Duplicated,
            verification.Stale,
            stream.Sent,
            verification.Items,
            new KillInstants(_whileStarting, _whileWriting, _whileInGroup),
            serverKills.Brokers,
            serverKills.Masters,
            FencingTokens.CountBackwards(folder),
            new RankStrikes([.. _ranks], _deaths.Killed, _deaths.Launchers, _deaths.Frozen, _deaths.Cut)
        );
    }

    private static bool IsWriting(string checkpoints) =>
        Directory.Exists(checkpoints) && Directory.EnumerateDirectories(checkpoints).Any(path => Path.GetFileName(path).StartsWith('.'));

    /// <summary>The number of records covered by the newest checkpoint. The next worker starts there, which on a busy machine may be
    /// far behind the stream.</summary>
    private static long Kept(Dictionary<string, string> settings) =>
        new CheckpointStore(settings["STREAMING__Checkpoint__Folder"], 1, TimeProvider.System, static _ => { })
            .FindNewest()
            ?.Manifest.Positions.Sum(static position => position.NextOffset)
        ?? 0;

    /// <summary>Starts a worker and kills it at a random time, sometimes before it has done anything.</summary>
    private async Task LiveAndDieAsync(int number, Dictionary<string, string> settings, EventStream stream)
    {
        bool inGroup = _random.Next(4) == 0 && options.Ranks.Most == 1;
        bool early = _random.Next(6) == 0;
        double life = _random.NextDouble() * 4;
        using WorkerProcess worker = Start(number, settings, inGroup);
        bool trained = false;
        if (early)
        {
            await Task.Delay(TimeSpan.FromSeconds(life / 4)).ConfigureAwait(false);
        }
        else
        {
            trained = await RecoverAsync(worker).ConfigureAwait(false);
            await Task.Delay(TimeSpan.FromSeconds(life)).ConfigureAwait(false);
        }

        if (worker.IsJob)
        {
            await _deaths.DieAsync(worker, mayFreeze: trained).ConfigureAwait(false);
        }
        else
        {
            worker.Kill();
        }

        _killed = Stopwatch.GetTimestamp();
        stream.AllowUpTo(Kept(settings) + RecordsAhead);
        _unrecovered++;
        _whileStarting += trained ? 0 : 1;
        _whileInGroup += inGroup ? 1 : 0;
        _whileWriting += IsWriting(settings["STREAMING__Checkpoint__Folder"]) ? 1 : 0;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"kill {number + 1}/{options.Kills}: {stream.Sent} events produced"));
    }

    /// <summary>Waits until the worker has trained on an event, which ends the recovery from all earlier kills.</summary>
    private async Task<bool> RecoverAsync(WorkerProcess worker)
    {
        long begun = Stopwatch.GetTimestamp();
        while (!(await worker.ReadAsync("streaming_events_total", CancellationToken.None).ConfigureAwait(false) > 0))
        {
            if (worker.HasExited)
            {
                throw new InvalidOperationException($"A worker ended by itself with exit code {worker.ExitCode}; its log is in {folder}.");
            }

            if (Stopwatch.GetElapsedTime(begun) > CatchUpTimeout)
            {
                throw new TimeoutException($"A worker trained on nothing for {CatchUpTimeout}; its log is in {folder}.");
            }

            await Task.Delay(20).ConfigureAwait(false);
        }

        if (_unrecovered > 0)
        {
            // The same recovery covers a kill of a worker that had not trained yet.
            _recoveryTimes.Add(Stopwatch.GetElapsedTime(_killed).TotalMilliseconds);
            _recoveries += _unrecovered;
            _unrecovered = 0;
        }

        return true;
    }

    private async Task FinishAsync(
        Dictionary<string, string> settings,
        EventStream stream,
        CancellationTokenSource stopping,
        Task producing
    )
    {
        using WorkerProcess worker = Start(options.Kills, settings, inGroup: false);
        await RecoverAsync(worker).ConfigureAwait(false);
        await stopping.CancelAsync().ConfigureAwait(false);
        await producing.ConfigureAwait(false);

        await CatchUp.WaitAsync(worker, CatchUpTimeout).ConfigureAwait(false);
        await worker.TerminateAsync(TimeSpan.FromMinutes(1)).ConfigureAwait(false);
        if (worker.ExitCode != 0)
        {
            throw new InvalidOperationException(
                $"SIGTERM ended the last worker with exit code {worker.ExitCode} in place of 0; its log is in {folder}."
            );
        }
    }

    private WorkerProcess Start(int number, Dictionary<string, string> settings, bool inGroup)
    {
        int ranks = _random.Next(options.Ranks.Fewest, options.Ranks.Most + 1);
        _ranks.Add(ranks);
        var own = new Dictionary<string, string>(settings) { ["STREAMING__Kafka__Assignment"] = inGroup ? "group" : "static" };
        return WorkerProcess.Start(
            program,
            own,
            Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"worker-{number:D4}.log")),
            ranks: ranks,
            hosts: hosts
        );
    }

    /// <summary>The settings of a small worker that checkpoints and publishes often.</summary>
    public static Dictionary<string, string> Settings(string folder, string kafka, string redis) =>
        new(StringComparer.Ordinal)
        {
            ["STREAMING__Kafka__BootstrapServers"] = kafka,
            ["STREAMING__Kafka__ItemsTopic"] = string.Empty,
            ["STREAMING__Kafka__SessionTimeout"] = "6s",
            ["STREAMING__Redis__Configuration"] = redis,
            ["STREAMING__Redis__Model"] = "chaos",
            ["STREAMING__Redis__LeaseDuration"] = "2s",
            ["STREAMING__Events__Weights"] = $"click=1,{EventStream.SilentType}=0",
            ["STREAMING__Events__Strict"] = "true",
            ["STREAMING__Batching__BatchSize"] = "64",
            ["STREAMING__Batching__Linger"] = "20ms",
            ["STREAMING__Batching__AllowedLateness"] = "1h",
            ["STREAMING__Model__Widths"] = "8,16,32",
            ["STREAMING__Model__HistoryLength"] = "20",
            ["STREAMING__Model__Layers"] = "1",
            ["STREAMING__Model__ItemCapacity"] = "2000",
            ["STREAMING__Model__BankCapacity"] = "512",
            ["STREAMING__Training__Refresh__RefreshInterval"] = "2s",
            ["STREAMING__Pipeline__PublishInterval"] = "100ms",
            ["STREAMING__Checkpoint__Folder"] = Path.Combine(folder, "checkpoints"),
            ["STREAMING__Checkpoint__Interval"] = "1s",
            ["STREAMING__Training__Threads"] = "1",
            ["STREAMING__Ranks__Timeout"] = string.Create(CultureInfo.InvariantCulture, $"{RankDeaths.Timeout.TotalSeconds}s"),
        };
}
