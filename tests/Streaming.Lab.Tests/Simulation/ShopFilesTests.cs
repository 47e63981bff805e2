using Streaming.Formats.Catalogues;
using Streaming.Formats.Files;
using Streaming.Lab.Simulation;
using Streaming.Tests;
using Xunit;

namespace Streaming.Lab.Tests.Simulation;

public sealed class ShopFilesTests : IDisposable
{
    private readonly TemporaryFiles _files = new();

    public void Dispose() => _files.Dispose();

    [Fact]
    public void Write_SameSeed_IsTheSameFiles()
    {
        (ShopFiles one, int items) = Write("one", 7, 0.25, 0.5);
        (ShopFiles two, _) = Write("two", 7, 0.25, 0.5);

        Assert.Equal(File.ReadAllText(one.Events), File.ReadAllText(two.Events));
        Assert.Equal(File.ReadAllText(one.Items), File.ReadAllText(two.Items));
        Assert.Equal(140, items);
        EventLog log = EventFileReader.ReadAll([one.Events], new EventFileOptions(), static _ => { });
        Assert.Equal(2_000, log.Count);
        Assert.True(log[log.Count - 1].Time - log[0].Time > 3_600_000);
    }

    [Fact]
    public void Write_Shares_AreThoseOfTheItems()
    {
        (ShopFiles files, int items) = Write("shop", 1, 0.25, 0.5);
        CatalogueItem[] read = [.. CatalogueFile.Read(files.Items, static _ => { })];

        Assert.Equal(items, read.Length);
        Assert.InRange(read.Count(static item => item.Text["title"].Contains("article", StringComparison.Ordinal)), 20, 50);
        string[] pictures = [.. read.Where(static item => item.Text.ContainsKey("image")).Select(static item => item.Text["image"])];
        Assert.InRange(pictures.Length, 50, 90);
        Assert.All(pictures, picture => Assert.True(File.Exists(_files.Path(Path.Combine("shop", picture)))));
    }

    /// <summary>What titles and pictures say changes nothing of what users do.</summary>
    [Fact]
    public void Write_OtherTitles_SameEvents() =>
        Assert.Equal(File.ReadAllText(Write("a", 3, 0, 0).Files.Events), File.ReadAllText(Write("b", 3, 1, 1).Files.Events));

    private (ShopFiles Files, int Items) Write(string folder, ulong seed, double plain, double without)
    {
        var files = new ShopFiles(
            new SimulatorOptions
            {
                Seed = seed,
                Items = 100,
                Clusters = 20,
                PlainTitleShare = plain,
                NoPictureShare = without,
            },
            _files.Path(folder)
        );
        return (files, files.Write(2_000, withPictures: true, TestContext.Current.CancellationToken));
    }
}
