using Streaming.Tests;
using Xunit;

namespace Streaming.Worker.Tests.Page;

/// <summary>A demo that has learned its events and serves the page.</summary>
public sealed class FinishedDemo : IAsyncLifetime
{
    private StreamingProcess _process = null!;

    public Uri Address { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        _process = StreamingProcess.Start(
            ["demo", "--count", "2000", "--interval", "1"],
            new Dictionary<string, string>
            {
                ["STREAMING__Model__Widths"] = "4,8",
                ["STREAMING__Model__Layers"] = "1",
                ["STREAMING__Model__HistoryLength"] = "8",
                ["STREAMING__Model__BankCapacity"] = "256",
                ["STREAMING__Model__ItemCapacity"] = "4000",
                ["STREAMING__Batching__BatchSize"] = "64",
                ["STREAMING__Http__Port"] = "0",
            }
        );
        string line = await _process.WaitForLineAsync(line => line.StartsWith("serving lookups at ", StringComparison.Ordinal));
        Address = new Uri(line.Split(' ')[3]);
    }

    public ValueTask DisposeAsync()
    {
        _process.Dispose();
        return ValueTask.CompletedTask;
    }
}
