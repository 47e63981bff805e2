using Streaming.Chaos;
using Xunit;

namespace Streaming.Worker.Tests.Chaos;

/// <summary>The short form of <c>tests/chaos.sh</c>.</summary>
public class ChaosTests
{
    [Fact]
    public async Task Kills_UnderLoad_NothingIsLostTwiceOrStale()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("streaming-chaos-test-");
        var options = ChaosOptions.Parse(["--kills", "3", "--rate", "300", "--seed", "7"]);
        ChaosReport report = await new ChaosRun(options, folder.FullName, Path.Combine(AppContext.BaseDirectory, "streaming")).RunAsync();

        Assert.Equal(3, report.Kills);
        Assert.Equal(3, report.Recoveries);
        Assert.Equal((0, 0, 0), (report.Lost, report.Duplicated, report.Stale));
        Assert.True(report.Events > 300, $"only {report.Events} events were produced");
        Assert.True(report.Items > 100, $"only {report.Items} items were compared");
        folder.Delete(recursive: true);
    }
}
