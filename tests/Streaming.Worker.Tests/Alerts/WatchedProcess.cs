using System.Text.Json;
using Streaming.Tests;
using Xunit;

namespace Streaming.Worker.Tests.Alerts;

/// <summary>
/// The program as a process, watched as an operator watches it: /health/ready, /metrics, the log. Each state that it is brought into is
/// followed in all of them, and the alert rules are checked against what /metrics said.
/// </summary>
internal sealed class WatchedProcess : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    private readonly StreamingProcess _process;
    private readonly HttpClient _client;
    private readonly AlertTimeline _timeline;

    private WatchedProcess(StreamingProcess process, Uri address, string job)
    {
        _process = process;
        _client = new HttpClient { BaseAddress = address };
        _timeline = new AlertTimeline(job);
    }

    /// <summary>Gets all that was logged.</summary>
    public string Log => _process.Output;

    /// <summary>Starts a command, and waits until it listens.</summary>
    public static async Task<WatchedProcess> StartAsync(string command, string job, IReadOnlyDictionary<string, string> settings)
    {
        var process = StreamingProcess.Start([command], settings);
        string line = await process.WaitForLineAsync(static line => line.Contains("Health and metrics at", StringComparison.Ordinal));
        return new WatchedProcess(process, new Uri(line[line.IndexOf("http", StringComparison.Ordinal)..].Trim()), job);
    }

    /// <summary>Waits until these parts are there and all are healthy, and notes that no alert fires then.</summary>
    public async Task UntilWellAsync(params string[] parts)
    {
        await UntilAsync(
            now => parts.All(now.ContainsKey) && now.Values.All(static text => text == "healthy"),
            $"{string.Join(", ", parts)} and all others are healthy"
        );
        await NoteAsync("well", BrokenState.Moment);
    }

    /// <summary>Breaks it, reads health, log, metrics and alerts, mends it, and reads them again.</summary>
    public async Task FollowAsync(BrokenState state)
    {
        int begun = Log.Length;
        await state.Break();
        await UntilAsync(
            parts =>
                state.Health.All(part => parts.GetValueOrDefault(part.Key, string.Empty).Contains(part.Value, StringComparison.Ordinal)),
            $"{state.Name}: health says {string.Join(", ", state.Health)}"
        );
        await UntilLoggedAsync(state.Log, begun);
        Exposition broken = await NoteAsync(state.Name, state.Apart, state.Alerts);
        Assert.All(state.Series, series => Assert.True(broken[series] > 0, $"{state.Name}: {series} is {broken[series]}"));
        if (state.Mend is null)
        {
            return;
        }

        begun = Log.Length;
        await state.Mend();
        await UntilAsync(
            parts => state.Health.Keys.All(part => parts.GetValueOrDefault(part) == "healthy"),
            $"{state.Name} is mended: {string.Join(", ", state.Health.Keys)} are healthy"
        );
        await UntilLoggedAsync(state.LogAfter, begun);
        Exposition mended = await NoteAsync($"{state.Name}, mended", BrokenState.Moment);
        Assert.All(state.Series, series => Assert.True((mended[series] ?? 0) == 0, $"{state.Name}, mended: {series} is {mended[series]}"));
    }

    /// <summary>Checks the alerts of all states so far, then stops the program.</summary>
    public async Task EndAsync()
    {
        await _timeline.VerifyAsync();
        _process.Terminate();
        Assert.True(await _process.WaitForExitAsync() == 0, Log);
    }

    public void Dispose()
    {
        _client.Dispose();
        _process.Dispose();
    }

    private async Task<Exposition> NoteAsync(string name, TimeSpan apart, params string[] alerts)
    {
        Exposition first = await UntilNothingWaitsAsync();
        await Task.Delay(apart);
        var second = new Exposition(await ReadAsync("/metrics"));
        _timeline.Add(name, first, second, apart, alerts);
        return first;
    }

    /// <summary>Reads /metrics once all events are read, unless Kafka is in the way: the events that a state is made of are its cause, not
    /// a part of it.</summary>
    private async Task<Exposition> UntilNothingWaitsAsync()
    {
        using var limit = new CancellationTokenSource(Limit);
        while (true)
        {
            var scrape = new Exposition(await ReadAsync("/metrics"));
            if (!scrape.IsAboveZero("streaming_lag") || scrape.IsAboveZero("streaming_kafka_problem"))
            {
                return scrape;
            }

            Assert.False(limit.IsCancellationRequested, $"Events still wait. The log:\n{Log}");
            await Task.Delay(50);
        }
    }

    private async Task UntilAsync(Func<Dictionary<string, string>, bool> condition, string what)
    {
        using var limit = new CancellationTokenSource(Limit);
        Dictionary<string, string> parts = await PartsAsync();
        while (!condition(parts))
        {
            Assert.False(limit.IsCancellationRequested, $"Not so: {what}. It is {string.Join(", ", parts)}. The log:\n{Log}");
            await Task.Delay(50);
            parts = await PartsAsync();
        }
    }

    private async Task UntilLoggedAsync(string text, int from)
    {
        using var limit = new CancellationTokenSource(Limit);
        while (!Log.AsSpan(from).Contains(text, StringComparison.Ordinal))
        {
            Assert.False(limit.IsCancellationRequested, $"The log does not say any more: {text}. It says:\n{Log}");
            await Task.Delay(50);
        }
    }

    private async Task<Dictionary<string, string>> PartsAsync()
    {
        using var health = JsonDocument.Parse(await ReadAsync("/health/ready"));
        return health.RootElement.GetProperty("parts").Deserialize<Dictionary<string, string>>()!;
    }

    // Not ready is an answer too: its status is 503.
    private async Task<string> ReadAsync(string path)
    {
        using HttpResponseMessage response = await _client.GetAsync(new Uri(path, UriKind.Relative));
        return await response.Content.ReadAsStringAsync();
    }
}
