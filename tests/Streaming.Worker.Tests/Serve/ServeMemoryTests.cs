using Streaming.Core.Generations;
using Streaming.Tests;
using Streaming.Transport.Redis.Generations;
using Streaming.Worker.Failures;
using Streaming.Worker.Serve;
using Xunit;

namespace Streaming.Worker.Tests.Serve;

/// <summary>Too little memory for the indexes is one line with the figures, before anything is loaded.</summary>
public sealed class ServeMemoryTests
{
    private const long Gigabyte = 1L << 30;

    private static readonly GenerationRecord Active = new()
    {
        Generation = 1,
        Widths = [32, 128],
        Items = 1_000_000,
    };

    private static readonly GenerationRecord Trial = Active with { Generation = 2 };

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public void TrialGeneration_TakesAnIndexMore()
    {
        var options = new ServeOptions { TrialGeneration = 2 };
        ServeMemory.Require(options, Active, trial: null, Gigabyte / 2);
        ServeMemory.Require(options, Active, Trial, Gigabyte);

        string message = Assert.Throws<SettingsException>(() => ServeMemory.Require(options, Active, Trial, Gigabyte / 2)).Message;
        Assert.Contains("generation 1 (1000000 items of width 128: index ", message, StringComparison.Ordinal);
        Assert.Contains("and generation 2 (1000000 items of width 128: index ", message, StringComparison.Ordinal);
        Assert.Contains("but the runtime may use 512 MiB", message, StringComparison.Ordinal);
        Assert.EndsWith("Raise the limit, or unset STREAMING__Serve__TrialGeneration.", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Graphs_AreCountedTwice_FromTheirNumberOfItemsOn()
    {
        var options = new ServeOptions { Approximate = true };
        long without = ServeMemory.Least(new ServeOptions(), [Active]);

        Assert.Equal(2 * 464_000_000L, ServeMemory.Least(options, [Active]) - without);
        Assert.Equal(without, ServeMemory.Least(options with { ApproximateMinItems = 1_000_001 }, [Active]));
        string message = Assert.Throws<SettingsException>(() => ServeMemory.Require(options, Active, trial: null, Gigabyte)).Message;
        Assert.Contains(", graphs 885 MiB)", message, StringComparison.Ordinal);
        Assert.EndsWith("Raise the limit, or unset STREAMING__Serve__Approximate.", message, StringComparison.Ordinal);
    }

    [Fact]
    public void NothingPublished_IsNotRefused() =>
        Assert.Null(Record.Exception(static () => ServeMemory.Require(new ServeOptions(), active: null, trial: null, available: 1)));

    [Fact]
    public async Task TooLittle_EndsServeWith78BeforeItListens()
    {
        await using PublishedShop shop = await PublishedShop.OpenAsync();
        await shop.PublishTowersAsync();
        var records = new GenerationPublisher(shop.Redis.GetDatabase(), shop.Settings.Redis, TimeProvider.System);
        GenerationRecord record = (await records.ReadAsync(1, Stop))!;
        await records.PublishAsync(record with { Items = 20_000_000 }, [], Stop);
        using var serve = StreamingProcess.Start(
            ["serve"],
            new Dictionary<string, string>
            {
                ["DOTNET_GCHeapHardLimit"] = (300 << 20).ToString("x", null),
                ["STREAMING__Redis__Configuration"] = shop.Server.Configuration,
                ["STREAMING__Model__Widths"] = "4,8",
                ["STREAMING__Http__Port"] = "0",
            }
        );

        Assert.True(await serve.WaitForExitAsync() == 78, serve.Output);
        Assert.Contains("serving generation 1 (20000000 items of width 8: index ", serve.Output, StringComparison.Ordinal);
        Assert.Contains("MiB of memory, but the runtime may use 300 MiB", serve.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", serve.Output, StringComparison.Ordinal);
    }
}
