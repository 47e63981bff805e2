using System.Text.Json;
using SkiaSharp;
using Streaming.Encoders.Catalogues;
using Streaming.Encoders.Pictures;
using Streaming.Encoders.Tests.Pictures;
using Streaming.Encoders.Texts;
using Streaming.Formats.Catalogues;
using Streaming.Formats.Inputs;
using Streaming.Tests;
using Xunit;

namespace Streaming.Encoders.Tests.Catalogues;

public sealed class CatalogueEncoderTests : IDisposable
{
    private readonly Models _models;
    private readonly TemporaryFiles _files = new();
    private readonly List<string> _told = [];

    public CatalogueEncoderTests(Models models)
    {
        _models = models;
        File.WriteAllBytes(_files.Path("disc.png"), Drawing.Shape(isDisc: true, SKColors.Teal));
        File.WriteAllBytes(_files.Path("stripes.webp"), Drawing.Shape(isDisc: false, SKColors.Navy, SKEncodedImageFormat.Webp));
    }

    private string Output => _files.Path("encoded.jsonl");

    public void Dispose() => _files.Dispose();

    [Fact]
    public void Run_TextsAndPictures_BecomeFeatureGroupsOfItemRecords()
    {
        EncodeCounts counts = Run(
            "item,title,image\n\"a, \u00E4\",Red \"\"lamp\"\",disc.png\nb,Spade,stripes.webp\nc,,disc.png\nd,Spade,\nb,Garden spade,stripes.webp\n".Replace(
                "Red \"\"lamp\"\"",
                "\"Red \"\"lamp\"\"\"",
                StringComparison.Ordinal
            )
        );

        Assert.Equal("text:384,image:512", counts.Groups);
        Assert.Equal((4, 4, 0, 1, 1, 0), Of(counts));
        Dictionary<string, CatalogueItem> items = Read();
        Assert.Equal(["a, \u00E4", "b", "c", "d"], items.Keys.Order(StringComparer.Ordinal));
        Assert.Equal("Red \"lamp\"", items["a, \u00E4"].Text["title"]);
        Assert.Equal("Garden spade", items["b"].Text["title"]);
        Assert.Equal(["text", "image"], items["b"].Features.Keys);
        Assert.Equal(["image"], items["c"].Features.Keys);
        Assert.Equal(["text"], items["d"].Features.Keys);
        Assert.Equal(items["c"].Features["image"], items["a, \u00E4"].Features["image"]);
        using var text = new TextEncoder(Options().Text!, 2);
        float[] expected = text.Encode(["Garden spade"])[0];
        Assert.All(expected.Zip(items["b"].Features["text"]), static pair => Assert.Equal(pair.First, pair.Second, 1e-4));
    }

    [Fact]
    public void Run_Again_EncodesWhatHasChanged()
    {
        Run("item,title,image\na,Lamp,disc.png\nb,Spade,stripes.webp\nc,Vase,\nd,Mug,\n");
        Dictionary<string, CatalogueItem> before = Read();
        Assert.Equal((4, 0, 4, 0, 2, 0), Of(Run("item,title,image\na,Lamp,disc.png\nb,Spade,stripes.webp\nc,Vase,\nd,Mug,\n")));

        // Another title, another picture under the same name, a new item, one that is gone, one that is the same.
        File.WriteAllBytes(_files.Path("disc.png"), Drawing.Shape(isDisc: true, SKColors.Crimson));
        EncodeCounts counts = Run("item,title,image\na,Lamp,disc.png\nb,Shovel,stripes.webp\nc,Vase,\ne,Globe,\n");

        Assert.Equal((4, 3, 1, 0, 2, 0), Of(counts));
        Assert.Equal(1, counts.Removed);
        Dictionary<string, CatalogueItem> after = Read();
        Assert.Equal(4, File.ReadLines(Output).Count());
        Assert.Equal(["a", "b", "c", "e"], after.Keys.Order(StringComparer.Ordinal));
        Assert.NotEqual(before["a"].Features["image"], after["a"].Features["image"]);
        Assert.Equal(before["a"].Features["text"], after["a"].Features["text"]);
        Assert.NotEqual(before["b"].Features["text"], after["b"].Features["text"]);
        Assert.Equal(before["c"].Features["text"], after["c"].Features["text"]);
    }

    [Fact]
    public void Run_OtherOptionsOfAModel_EncodesEverythingAgain()
    {
        const string items = "item,title\na,Lamp\nb,Spade\n";
        Run(items, Options() with { Picture = null });
        EncodeOptions first = Options() with { Picture = null, Text = Options().Text! with { Pooling = TextPooling.First } };

        Assert.Equal((2, 2, 0, 0, 0, 0), Of(Run(items, first)));
        Assert.Equal((2, 0, 2, 0, 0, 0), Of(Run(items, first)));
    }

    /// <summary>A run that is stopped, or killed while it writes, loses at most the batch it was at.</summary>
    [Fact]
    public void Run_Stopped_IsContinued()
    {
        string items = "item,title\n" + string.Concat(Enumerable.Range(0, 20).Select(static i => $"item-{i},red lamp {i}\n"));
        EncodeOptions options = Options() with { Picture = null, Batch = 4 };
        using var stopping = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() =>
            Run(
                items,
                options,
                counts =>
                {
                    if (counts.Encoded == 8)
                    {
                        stopping.Cancel();
                    }
                },
                stopping
            )
        );
        Assert.Equal(8, File.ReadLines(Output).Count());
        File.AppendAllText(Output, "{\"item_id\":\"item-8\",\"source\":\"0123\",\"text\":{\"ti");

        Assert.Equal((20, 12, 8, 0, 0, 0), Of(Run(items, options)));
        Dictionary<string, CatalogueItem> continued = Read();
        File.Delete(Output);
        Run(items, options);
        Dictionary<string, CatalogueItem> whole = Read();
        Assert.Equal(20, continued.Count);
        Assert.All(whole, pair => Assert.Equal(pair.Value.Features["text"], continued[pair.Key].Features["text"]));
    }

    [Fact]
    public void Run_PicturesThatCannotBeUsed_AreCountedAndTheFirstAreNamed()
    {
        _files.Write("text.png", "no picture");
        string outside = Path.Combine(Path.GetTempPath(), "..", "etc", "hostname");
        string items =
            $"item,title,image\na,Lamp,none.png\nb,Lamp,text.png\nc,Lamp,https://example.org/x.png\nd,Lamp,{outside}\ne,Lamp,disc.png\n";
        EncodeCounts counts = Run(items);

        Assert.Equal((5, 5, 0, 0, 0, 4), Of(counts));
        Assert.Equal(4, _told.Count);
        Assert.Contains("item 'a': its picture 'none.png' is not used: no file", _told[0], StringComparison.Ordinal);
        Assert.Contains(
            "item 'b': its picture 'text.png' is not used: not a picture in a known format",
            _told[1],
            StringComparison.Ordinal
        );
        Assert.Contains("URLs are not fetched", _told[2], StringComparison.Ordinal);
        Assert.Contains("outside of", _told[3], StringComparison.Ordinal);

        // They are told again, and one that has come is taken.
        File.Copy(_files.Path("disc.png"), _files.Path("none.png"));
        Assert.Equal((5, 2, 3, 0, 0, 3), Of(Run(items)));
        Assert.True(Read()["a"].Features.ContainsKey("image"));
    }

    [Fact]
    public void Run_NoPictureThatCanBeUsed_IsAnError()
    {
        InputFileException error = Assert.Throws<InputFileException>(() => Run("item,title,image\na,Lamp,none.png\nb,Lamp,\n"));

        Assert.Contains("none of 2 items has a picture that can be used; field 'image' (--image)", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Create_FieldsThatNoItemHas_AreRefusedByName()
    {
        Assert.Contains(
            "no item has the field title (--text); there are image, name",
            Assert.Throws<InputFileException>(() => Run("item,name,image\na,Lamp,disc.png\n")).Message,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "no item has the field image (--image); there are title",
            Assert.Throws<InputFileException>(() => Run("item,title\na,Lamp\n")).Message,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "there are no items",
            Assert.Throws<InputFileException>(() => Run("item,title,image\n")).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Create_OutputThatIsAnotherFile_IsLeftAsItIs()
    {
        File.WriteAllText(Output, "{\"item_id\":\"a\"}\n");

        InputFileException error = Assert.Throws<InputFileException>(() => Run("item,title,image\na,Lamp,disc.png\n"));

        Assert.StartsWith($"{Output}, line 1: the file is not one that `encode` wrote", error.Message, StringComparison.Ordinal);
        Assert.Equal("{\"item_id\":\"a\"}\n", File.ReadAllText(Output));
    }

    [Fact]
    public void Run_RecordsWithFeaturesAndAttributes_KeepThem()
    {
        string path = _files.Write(
            "items.jsonl",
            "{\"item_id\":\"a\",\"text\":{\"title\":\"Lamp\"},\"features\":{\"price\":[1.5,2]},\"attributes\":{\"tags\":[\"x\",\"y\"],\"n\":7,\"ok\":true}}\n"
        );
        Run(path: path, options: Options() with { Picture = null });

        JsonElement line = JsonDocument.Parse(File.ReadAllText(Output)).RootElement;
        Assert.Equal("[1.5,2]", line.GetProperty("features").GetProperty("price").GetRawText());
        Assert.Equal(384, line.GetProperty("features").GetProperty("text").GetArrayLength());
        Assert.Equal("{\"tags\":[\"x\",\"y\"],\"n\":7,\"ok\":true}", line.GetProperty("attributes").GetRawText());
    }

    private static (long Items, long Encoded, long Unchanged, long NoText, long NoPicture, long Bad) Of(EncodeCounts counts) =>
        (counts.Items, counts.Encoded, counts.Unchanged, counts.WithoutText, counts.WithoutPicture, counts.BadPictures);

    private EncodeCounts Run(
        string items,
        EncodeOptions? options = null,
        Action<EncodeCounts>? progress = null,
        CancellationTokenSource? stopping = null
    ) => Run(options ?? Options(), _files.Write("items.csv", items), progress, stopping);

    private EncodeCounts Run(
        EncodeOptions options,
        string path,
        Action<EncodeCounts>? progress = null,
        CancellationTokenSource? stopping = null
    )
    {
        _told.Clear();
        using var encoder = new CatalogueEncoder(options with { Items = [path] }, _told.Add);
        encoder.Run(progress ?? (static _ => { }), stopping?.Token ?? TestContext.Current.CancellationToken);
        return encoder.Counts;
    }

    private Dictionary<string, CatalogueItem> Read() =>
        CatalogueFile.Read(Output, static _ => { }).ToDictionary(static item => item.Id, StringComparer.Ordinal);

    private EncodeOptions Options() =>
        new()
        {
            Items = [],
            Output = Output,
            TextFields = ["title"],
            Text = new TextEncoderOptions { Model = _models.Text, Vocabulary = _models.Vocabulary },
            Picture = new PictureEncoderOptions { Model = _models.Picture, Pixels = PixelScale.All[^1] },
            PictureFolder = _files.Path("."),
            Threads = 2,
        };
}
