using System.Diagnostics;
using System.Globalization;
using StackExchange.Redis;
using Streaming.Chaos;
using Streaming.Lab.Embedded;
using Streaming.Serving;
using Streaming.Serving.Lookups;
using Streaming.Worker.Commands;
using Streaming.Worker.Failures;
using Streaming.Worker.Run;
using Xunit;

namespace Streaming.Worker.Tests.Faults;

/// <summary>A broker, a Redis, a folder, a steady stream of events with known effects, and the means to disturb each.</summary>
internal sealed class FaultBench : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);
    private readonly CancellationTokenSource _produced = new();
    private bool _mounted;
    private Disturbance? _disturbance;
    private Task _producing = Task.CompletedTask;

    private FaultBench(int brokers, int partitions)
    {
        Broker = new EmbeddedBroker(brokers);
        Partitions = partitions;
    }

    /// <summary>Gets a temporary folder.</summary>
    public string Folder { get; } = Directory.CreateTempSubdirectory("streaming-faults-").FullName;

    public EmbeddedBroker Broker { get; }

    /// <summary>Gets the number of partitions of the events' topic.</summary>
    public int Partitions { get; }

    /// <summary>Gets the workers' clock.</summary>
    public JumpingTime Time { get; } = new();

    public LocalRedisServer Redis { get; private set; } = null!;

    public EventStream Stream { get; private set; } = null!;

    public Dictionary<string, string> Settings { get; } =
        new(StringComparer.Ordinal)
        {
            ["STREAMING__Kafka__ItemsTopic"] = string.Empty,
            ["STREAMING__Kafka__SessionTimeout"] = "3s",
            ["STREAMING__Kafka__GroupId"] = "faults",
            ["STREAMING__Redis__Model"] = "faults",
            ["STREAMING__Redis__LeaseDuration"] = "2s",
            ["STREAMING__Redis__ConnectTimeout"] = "1s",
            ["STREAMING__Redis__CommandTimeout"] = "300ms",
            ["STREAMING__Redis__RetryAttempts"] = "1",
            ["STREAMING__Redis__RetryDelay"] = "20ms",
            ["STREAMING__Events__Weights"] = $"click=1,{EventStream.SilentType}=0",
            ["STREAMING__Events__Strict"] = "true",
            ["STREAMING__Batching__BatchSize"] = "32",
            ["STREAMING__Batching__Linger"] = "20ms",
            ["STREAMING__Batching__AllowedLateness"] = "1h",
            ["STREAMING__Model__Widths"] = "8,16",
            ["STREAMING__Model__HistoryLength"] = "10",
            ["STREAMING__Model__Layers"] = "1",
            ["STREAMING__Model__ItemCapacity"] = "1000",
            ["STREAMING__Model__BankCapacity"] = "256",
            ["STREAMING__Training__Refresh__RefreshInterval"] = "1s",
            ["STREAMING__Training__UniformNegatives"] = "64",
            ["STREAMING__Pipeline__PublishInterval"] = "50ms",
            ["STREAMING__Pipeline__ShutdownTimeout"] = "6s",
            ["STREAMING__Checkpoint__Interval"] = "1s",
            ["STREAMING__Training__Threads"] = "1",
            ["STREAMING__Http__Port"] = "-1",
        };

    public WorkerOptions Values => WorkerSettings.Options(Settings);

    private string Disk => Path.Combine(Folder, "disk");

    public string Checkpoints => Settings["STREAMING__Checkpoint__Folder"];

    public static async Task<FaultBench> StartAsync(Fault? fault = null, int rate = 1_000, int partitions = 2)
    {
        var bench = new FaultBench(brokers: fault == Fault.LeadersMove ? 3 : 1, partitions);
        bench.Broker.CreateTopic("interactions", partitions);
        bench.Broker.CreateTopic("interactions.dead-letters", 1);
        bench.Redis = await LocalRedisServer.StartAsync(ServerOptions(fault), TestContext.Current.CancellationToken);
        Directory.CreateDirectory(bench.Disk);
        if (fault == Fault.DiskFull)
        {
            // A separate file system, as small as the test needs.
            bench._mounted = Run("mount", "-t", "tmpfs", "-o", "size=128m", "tmpfs", bench.Disk);
            Assert.SkipUnless(bench._mounted, "This user may not mount a file system.");
        }

        bench.Settings["STREAMING__Kafka__Assignment"] = fault == Fault.MembersComeAndGo ? "Group" : "Static";
        bench.Settings["STREAMING__Kafka__BootstrapServers"] = bench.Broker.BootstrapServers;
        bench.Settings["STREAMING__Redis__Configuration"] = bench.Redis.Configuration;
        bench.Settings["STREAMING__Checkpoint__Folder"] = Path.Combine(bench.Disk, "checkpoints");
        bench.Stream = new EventStream(bench.Values.Kafka, seed: 1, rate);
        bench._producing = Task.Run(() => bench.Stream.RunAsync(bench._produced.Token), CancellationToken.None);
        return bench;
    }

    public RunningWorker StartWorker(Func<Learning.Engine.TrainingEngine>? engines = null) => new(Values, time: Time, engines: engines);

    public async Task BreakAsync(Fault fault)
    {
        switch (fault)
        {
            case Fault.RedisDown:
                await Redis.KillAsync();
                break;
            case Fault.RedisEmptied:
                await Redis.RestartAsync();
                break;
            case Fault.RedisOutOfMemory:
                await ConfigureAsync("maxmemory", "1");
                break;
            case Fault.RedisHangs:
                Assert.True(Signal(Redis.ProcessId, "STOP"));
                break;
            case Fault.BrokerDown:
                Broker.SetDown();
                break;
            case Fault.CheckpointFolderGone:
                Directory.Move(Disk, Disk + ".away");
                await File.WriteAllTextAsync(Disk, "not a folder");
                break;
            case Fault.DiskFull:
                Fill();
                break;
            case Fault.BrokerSlow:
                Broker.SetRoundTripTime(TimeSpan.FromMilliseconds(300));
                break;
            case Fault.RedisSlow or Fault.BrokerErrors or Fault.LeadersMove or Fault.MembersComeAndGo:
                _disturbance = new Disturbance(fault, this);
                await _disturbance.UnderWay;
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(fault), fault, null);
        }
    }

    public async Task HealAsync(Fault fault)
    {
        switch (fault)
        {
            case Fault.RedisDown:
                await Redis.RestartAsync();
                break;
            case Fault.RedisOutOfMemory:
                await ConfigureAsync("maxmemory", "0");
                break;
            case Fault.RedisHangs:
                Assert.True(Signal(Redis.ProcessId, "CONT"));
                break;
            case Fault.BrokerDown:
                Broker.SetUp();
                break;
            case Fault.CheckpointFolderGone:
                File.Delete(Disk);
                MoveBack(Disk + ".away", Disk);
                break;
            case Fault.DiskFull:
                File.Delete(Path.Combine(Disk, "filler"));
                break;
            case Fault.BrokerSlow:
                Broker.SetRoundTripTime(TimeSpan.Zero);
                break;
            case Fault.RedisSlow or Fault.BrokerErrors or Fault.LeadersMove or Fault.MembersComeAndGo:
                await _disturbance!.DisposeAsync();
                _disturbance = null;
                break;
        }
    }

    /// <summary>Waits until this many records have been sent.</summary>
    public async Task UntilSentAsync(long records)
    {
        using var limit = new CancellationTokenSource(Limit);
        while (Stream.Sent < records)
        {
            await Task.Delay(10, limit.Token);
        }
    }

    /// <summary>Ends the stream; returns its expected effects.</summary>
    public async Task<ExpectedEffects> EndStreamAsync()
    {
        await _produced.CancelAsync();
        await _producing;
        return Stream.Expected;
    }

    /// <summary>Ends the stream, waits until the worker has finished and published everything, stops it, and compares.</summary>
    public async Task FinishAsync(RunningWorker worker)
    {
        ExpectedEffects expected = await EndStreamAsync();
        await worker.UntilAsync(w => w.Status.Counts.Read >= expected.Totals.Read, $"{expected.Totals.Read} records read");
        long step = await worker.ReadStepAsync();
        using ConnectionMultiplexer redis = await ConnectAsync();
        await UntilPublishedAsync(redis, expected, read => read.Stamp.Step >= step);
        Assert.True(await worker.TerminateAsync() == ExitCode.Success, worker.Log.Text);
        await VerifyAsync(redis, expected, worker.Log.Text);
    }

    public async Task VerifyAsync(ConnectionMultiplexer redis, ExpectedEffects expected, string log)
    {
        var verification = new Verification(Values);
        await verification.RunAsync(expected, redis.GetDatabase());
        Assert.True(
            (verification.Lost, verification.Duplicated, verification.Stale) == (0, 0, 0),
            string.Join('\n', verification.Findings) + "\n" + log
        );
        Assert.True(verification is { Items: > 50, Users: > 50 }, $"only {verification.Items} items and {verification.Users} users");
    }

    public async Task<ConnectionMultiplexer> ConnectAsync() =>
        await ConnectionMultiplexer.ConnectAsync(Redis.Configuration + ",abortConnect=false,allowAdmin=true");

    /// <summary>Waits until every trained item is in Redis and satisfies the condition.</summary>
    public async Task UntilPublishedAsync(ConnectionMultiplexer redis, ExpectedEffects expected, Func<ItemRead, bool> wanted)
    {
        using var limit = new CancellationTokenSource(Limit);
        while (!(await ReadAsync(redis, expected)).All(read => read.Status == ItemStatus.Found && wanted(read)))
        {
            await Task.Delay(20, limit.Token);
        }
    }

    /// <summary>Reads every trained item from Redis.</summary>
    public async Task<ItemRead[]> ReadAsync(ConnectionMultiplexer redis, ExpectedEffects expected)
    {
        int width = Values.Model.Dimension;
        string[] ids = [.. expected.TrainedByItem.Keys];
        var reader = new EmbeddingReader(
            redis.GetDatabase(),
            new ServingOptions { Model = Settings["STREAMING__Redis__Model"] },
            TimeProvider.System
        );
        var reads = new ItemRead[ids.Length];
        await reader.ReadAsync(ids, width, new float[ids.Length * width], reads);
        return reads;
    }

    public async ValueTask DisposeAsync()
    {
        if (_disturbance is not null)
        {
            await _disturbance.DisposeAsync();
        }

        if (Redis is not null)
        {
            await Redis.DisposeAsync();
        }

        await _produced.CancelAsync();
        Broker.SetUp();
        await _producing;
        Stream?.Dispose();
        Broker.Dispose();
        if (_mounted)
        {
            Run("umount", Disk);
        }

        _produced.Dispose();
        Directory.Delete(Folder, recursive: true);
    }

    /// <summary>Moves a folder back. The worker may create a new one in its place at any moment before that.</summary>
    internal static void MoveBack(string from, string folder)
    {
        while (Directory.Exists(from))
        {
            try
            {
                Directory.Move(from, folder);
            }
            catch (IOException) when (Directory.Exists(folder))
            {
                Directory.Delete(folder, recursive: true);
            }
        }
    }

    private static string[] ServerOptions(Fault? fault) =>
        fault switch
        {
            Fault.RedisDown => ["--appendonly", "yes"],
            Fault.RedisSlow => ["--enable-debug-command", "local"],
            _ => [],
        };

    private static bool Signal(int process, string signal) => Run("kill", "-" + signal, process.ToString(CultureInfo.InvariantCulture));

    private static bool Run(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        process.WaitForExit();
        return process.ExitCode == 0;
    }

    private void Fill()
    {
        using var filler = new FileStream(Path.Combine(Disk, "filler"), FileMode.Create, FileAccess.Write, FileShare.None, 0);
        byte[] zeros = new byte[64 << 10];
        try
        {
            while (true)
            {
                filler.Write(zeros);
            }
        }
        catch (IOException)
        {
            // Full.
        }
    }

    private async Task ConfigureAsync(string name, string value)
    {
        using ConnectionMultiplexer redis = await ConnectAsync();
        await redis.GetDatabase().ExecuteAsync("CONFIG", "SET", name, value);
    }
}
