using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Streaming.Tests.Kafka;

namespace Streaming.Kafka.Tests.Bench;

/// <summary>The worker as operators run it: `streaming run`, configured by its environment, monitored over HTTP and its log.</summary>
internal sealed partial class WorkerProcess : IAsyncDisposable
{
    private static readonly HttpClient Http = new() { Timeout = TimeSpan.FromSeconds(10) };
    private readonly Process _process;
    private readonly ProcessLog _log = new();

    private WorkerProcess(Process process, long before)
    {
        _process = process;
        Before = before;
        _log.Follow(process);
    }

    /// <summary>Gets or sets how many records of the stream were covered by the checkpoint from which this worker resumed.</summary>
    public long Before { get; set; }

    /// <summary>Gets its log.</summary>
    public string Log => _log.Text;

    /// <summary>Gets a value indicating whether it has exited.</summary>
    public bool HasExited => _process.HasExited;

    /// <summary>Starts a worker with these settings and none of this process's.</summary>
    /// <param name="settings">Its environment.</param>
    /// <param name="before">See <see cref="Before"/>.</param>
    public static WorkerProcess Start(IReadOnlyDictionary<string, string> settings, long before)
    {
        var program = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "streaming"), ["run"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (string name in program.Environment.Keys.Where(static name => name.Contains("__", StringComparison.Ordinal)).ToArray())
        {
            program.Environment.Remove(name);
        }

        foreach ((string name, string value) in settings)
        {
            program.Environment[name] = value;
        }

        return new WorkerProcess(ChildProcesses.Start(program), before);
    }

    /// <summary>Sends a signal; returns at once.</summary>
    public void Signal(UnixSignal signal) => _process.Signal(signal);

    /// <summary>Kills it.</summary>
    public async Task KillAsync()
    {
        Signal(UnixSignal.Kill);
        await _process.WaitForExitAsync();
    }

    /// <summary>Sends SIGTERM and returns its exit code.</summary>
    public Task<int> TerminateAsync()
    {
        Signal(UnixSignal.Terminate);
        return WaitForExitAsync();
    }

    /// <summary>Waits for the exit and returns its exit code.</summary>
    public async Task<int> WaitForExitAsync()
    {
        await Until.TrueAsync(() => Task.FromResult(_process.HasExited), () => "the worker ends. Its log:\n" + Log);
        await _process.WaitForExitAsync();
        return _process.ExitCode;
    }

    /// <summary>Waits for a condition; the worker must not exit before.</summary>
    public Task UntilAsync(Func<WorkerProcess, Task<bool>> isTrue, string what) => UntilAsync(isTrue, () => what);

    /// <summary>Waits for a condition; the worker must not exit before.</summary>
    public async Task UntilAsync(Func<WorkerProcess, Task<bool>> isTrue, Func<string> describe)
    {
        try
        {
            await Until.TrueAsync(
                async () =>
                    await isTrue(this)
                    || (
                        _process.HasExited
                            ? throw new InvalidOperationException(
                                $"The worker ended with {_process.ExitCode} before this: {describe()}. Its log:\n{Log}"
                            )
                            : false
                    ),
                describe
            );
        }
        catch (TimeoutException exception)
        {
            throw new TimeoutException(
                $"{exception.Message}. Its health says of Kafka: '{await KafkaHealthAsync()}'; lag "
                    + $"{string.Join(", ", await SeriesAsync("streaming_lag"))}. The worker's log:\n{Log}",
                exception
            );
        }
    }

    /// <summary>Waits for text in its log, ignoring case.</summary>
    public Task UntilLoggedAsync(string words) =>
        UntilAsync(worker => Task.FromResult(worker.Log.Contains(words, StringComparison.OrdinalIgnoreCase)), $"the log says '{words}'");

    /// <summary>Waits until its Kafka health is degraded and names all of this, ignoring case.</summary>
    public async Task UntilUnwellAsync(params string[] words)
    {
        string seen = string.Empty;
        await UntilAsync(
            async worker =>
            {
                seen = await worker.KafkaHealthAsync();
                return seen.Length > 0
                    && !seen.StartsWith("healthy", StringComparison.Ordinal)
                    && Array.TrueForAll(words, word => seen.Contains(word, StringComparison.OrdinalIgnoreCase));
            },
            () => $"health names '{string.Join("', '", words)}'; it says '{seen}'"
        );
    }

    /// <summary>Waits until its Kafka health is healthy.</summary>
    public Task UntilWellAsync() => UntilAsync(static async worker => await worker.KafkaHealthAsync() == "healthy", "health is well again");

    /// <summary>Returns the Kafka part of its health; empty if it does not answer or does not read yet.</summary>
    public async Task<string> KafkaHealthAsync()
    {
        if (await GetAsync("health/ready") is not { } text)
        {
            return string.Empty;
        }

        using var health = JsonDocument.Parse(text);
        return health.RootElement.GetProperty("parts").TryGetProperty("kafka", out JsonElement kafka) ? kafka.GetString()! : string.Empty;
    }

    /// <summary>Returns the sum of a metric over its series; NaN if it does not answer or lacks the metric.</summary>
    /// <param name="metric">The name.</param>
    /// <param name="label">Only series with this label, such as <c>topic="events"</c>; empty: all.</param>
    public async Task<double> MetricAsync(string metric, string label = "")
    {
        double[] values = [.. await SeriesAsync(metric, label)];
        return values.Length == 0 ? double.NaN : values.Sum();
    }

    /// <summary>Returns how many records of the stream have taken effect in its model.</summary>
    public async Task<long> EventsAsync() =>
        Before + (await MetricAsync("streaming_events_total") is var events && double.IsNaN(events) ? 0 : (long)events);

    /// <summary>Waits until this many records of the stream have taken effect in its model.</summary>
    public Task UntilReadAsync(long records)
    {
        long seen = 0;
        return UntilAsync(async worker => (seen = await worker.EventsAsync()) >= records, () => $"{records} records are read; {seen} are");
    }

    /// <summary>Waits until no partition has had any lag for a second.</summary>
    public Task UntilCaughtUpAsync()
    {
        long quiet = Stopwatch.GetTimestamp();
        string lag = string.Empty;
        return UntilAsync(
            async worker =>
            {
                double[] lags = [.. await worker.SeriesAsync("streaming_lag")];
                lag = string.Join(", ", lags);
                quiet = lags.Length > 0 && Array.TrueForAll(lags, static one => one == 0) ? quiet : Stopwatch.GetTimestamp();
                return Stopwatch.GetElapsedTime(quiet) > TimeSpan.FromSeconds(1);
            },
            () => $"the lag of every partition is 0; it is {lag}"
        );
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            await KillAsync();
        }

        _process.Dispose();
    }

    private async Task<IEnumerable<double>> SeriesAsync(string metric, string label = "") =>
        (await GetAsync("metrics") ?? string.Empty)
            .Split('\n')
            .Where(line =>
                line.StartsWith(metric, StringComparison.Ordinal)
                && line.Length > metric.Length
                && line[metric.Length] is ' ' or '{'
                && line.Contains(label, StringComparison.Ordinal)
            )
            .Select(static line => double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture));

    private async Task<string?> GetAsync(string path)
    {
        if (Address().Match(Log) is not { Success: true } address)
        {
            return null;
        }

        try
        {
            using HttpResponseMessage response = await Http.GetAsync(new Uri(new Uri(address.Groups[1].Value), path));
            return await response.Content.ReadAsStringAsync();
        }
        catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException)
        {
            return null;
        }
    }

    [GeneratedRegex(@"Health and metrics at ""?(http://[0-9.:]+)")]
    private static partial Regex Address();
}
