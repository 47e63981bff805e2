using System.Net.Http.Json;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Streaming.Core.Options;
using Streaming.Tests;
using Streaming.Worker.Serve;
using Xunit;

namespace Streaming.Worker.Tests.Serve;

/// <summary>`streaming serve` with an approximate search, as a process of its own: the native library is the one that lies beside it.</summary>
public sealed class ApproximateServeTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Serve_WithAnApproximateSearch_AnswersByAGraphAndTellsOfIt()
    {
        PublishedShop shop = await PublishedShop.OpenAsync();
        await using ConfiguredAsyncDisposable _ = shop.ConfigureAwait(false);
        using var serve = StreamingProcess.Start(
            ["serve"],
            new Dictionary<string, string>
            {
                ["STREAMING__Redis__Configuration"] = shop.Server.Configuration,
                ["STREAMING__Model__Widths"] = "4,8",
                ["STREAMING__Http__Port"] = "0",
                ["STREAMING__Http__Address"] = "127.0.0.1",
                ["STREAMING__Serve__RefreshInterval"] = "20ms",
                ["STREAMING__Serve__Approximate"] = "true",
                ["STREAMING__Serve__ApproximateMinItems"] = "30",
            }
        );
        string line = await serve.WaitForLineAsync(static line => line.Contains("Health and metrics at ", StringComparison.Ordinal));
        using HttpClient client = new() { BaseAddress = new Uri(line.Split("Health and metrics at ")[1].Trim().Trim('"').Split(' ')[0]) };
        await serve.WaitForLineAsync(static line => line.Contains("The graph of 30 items was built", StringComparison.Ordinal));

        Assert.Equal(10, await NeighboursAsync(client, "/items/i3/neighbours"));
        Assert.Equal(10, await NeighboursAsync(client, "/items/i3/neighbours?width=4"));
        Assert.Equal(29, await NeighboursAsync(client, "/items/i3/neighbours?count=100"));
        string metrics = await client.GetStringAsync("/metrics", Stop);
        Assert.Contains("streaming_index_graph_vectors{index=\"active\",model=\"items\"} 30\n", metrics, StringComparison.Ordinal);
        Assert.Contains("streaming_index_graph_changed{index=\"active\",model=\"items\"} 0\n", metrics, StringComparison.Ordinal);
        Assert.Contains(
            "streaming_index_graph_builds_total{outcome=\"succeeded\",index=\"active\",model=\"items\"} 1\n",
            metrics,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "streaming_index_graph_searches_total{outcome=\"answered\",index=\"active\",model=\"items\"} 1\n",
            metrics,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "streaming_index_graph_searches_total{outcome=\"exact\",index=\"active\",model=\"items\"} 1\n",
            metrics,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "30 vectors; 0 items changed and 0 were removed since it was built",
            await client.GetStringAsync("/health/ready", Stop),
            StringComparison.Ordinal
        );
        serve.Terminate();
        Assert.Equal(0, await serve.WaitForExitAsync());
    }

    [Fact]
    public void Options_OutOfRange_AreNamed()
    {
        OptionsException error = Assert.Throws<OptionsException>(
            new ServeOptions { ApproximateMinItems = 0, ApproximateThreads = 257 }.Validate
        );

        Assert.Equal(["ApproximateMinItems", "ApproximateThreads"], error.Errors.Select(static wrong => wrong.Property));
        new ServeOptions { Approximate = true }.Validate();
    }

    private static async Task<int> NeighboursAsync(HttpClient client, string path) =>
        (await client.GetFromJsonAsync<JsonElement>(path, Stop)).GetProperty("neighbours").GetArrayLength();
}
