using System.Text;
using System.Text.Json;
using Google.Protobuf;
using Streaming.Contracts;
using Streaming.Core.Events;
using Streaming.Core.Items;
using Streaming.Formats.Files;
using Streaming.Formats.Inputs;
using Streaming.Formats.Mapping;
using Streaming.Lab.Backtest;
using Streaming.Lab.Feeds;
using Streaming.Learning.Items;
using Streaming.Models.Options;
using Streaming.Tests;
using Streaming.Transport.Kafka.Clients;
using Streaming.Transport.Kafka.Decoding;
using Streaming.Worker.Serve;
using Xunit;

namespace Streaming.Lab.Tests.Backtest;

public class FeatureSourceTests
{
    private const string Catalogue =
        "item,title,brand,categories\na,Cre\u0300me Bru\u0302le\u0301e SOAP,L'Or\u00E9al,Beauty|Bath\nb,\"Soap, 2 \u33A9\",,Beauty|Bath\n"
        + "c,,Prada,\nd,수분 크림,,\n";

    private static readonly string[] Items = ["a", "b", "c", "d", "unknown"];
    private readonly List<string> _told = [];

    private static ModelOptions Model =>
        new()
        {
            FeatureGroups =
            [
                FeatureGroup.Hashed("words", 64, new TextField("title")),
                FeatureGroup.Hashed("kinds", 16, new TextField("brand", IsCategory: true), new TextField("categories", IsCategory: true)),
            ],
        };

    /// <summary>The demo, replay and backtest read the same files; the worker sees records of either format.</summary>
    [Fact]
    public void Of_HashedGroups_AreThoseOfTheWorkerBitForBit()
    {
        using var files = new TemporaryFiles();
        string items = files.Write("items.csv", Catalogue);
        string events = files.Write("events.csv", "user,item,timestamp\nu,a,1600000001\nu,b,1600000002\nu,c,1600000003\nu,d,1600000004\n");
        ItemFeatures features = Source([items]).Of(Model);
        EventLog log = EventFileReader.ReadAll([events], new EventFileOptions(), static _ => { });
        var feed = new FileFeed(log, ItemCatalogue.ReadAll([items]));
        int compared = 0;
        while (feed.TryNext(out FeedRecord record))
        {
            if (record.Kind == FeedKind.Item)
            {
                float[] row = features.Rows[Array.IndexOf(Items, record.ItemId)];
                foreach (RecordFormat format in (RecordFormat[])[RecordFormat.Protobuf, RecordFormat.Json])
                {
                    Assert.Equal(Bits(row), Bits(LiveValues(record, format)));
                    compared++;
                }

                Assert.Equal(Bits(row), Bits(Values(features.Change(record.ItemId)!)));
            }
        }

        Assert.Equal(8, compared);
        Assert.All(features.Rows[4], static value => Assert.Equal(0, value));
        Assert.Null(features.Change("unknown"));
        Assert.Equal(
            "words:64=title: hashed as `run` does; 2 of 5 items have none; kinds:16=brand[]+categories[]: hashed as `run` does; 2 of 5 "
                + "items have none",
            Assert.Single(_told)
        );
    }

    [Fact]
    public void Of_SeveralFiles_FieldsOfAnItemAddUp()
    {
        using var files = new TemporaryFiles();
        string whole = files.Write("whole.csv", Catalogue);
        string titles = files.Write(
            "titles.csv",
            "item,title\na,old\nb,\"Soap, 2 \u33A9\"\na,Cre\u0300me Bru\u0302le\u0301e SOAP\nd,수분 크림\n"
        );
        string kinds = files.Write("kinds.csv", "item,brand,categories\na,L'Or\u00E9al,Beauty|Bath\nb,,Beauty|Bath\nc,Prada,\n");
        Assert.Equal(Source([whole]).Of(Model).Rows.Select(Bits), Source([titles, kinds]).Of(Model).Rows.Select(Bits));
    }

    [Fact]
    public void Of_FieldThatIsInNoFile_IsRefusedByName()
    {
        using var files = new TemporaryFiles();
        string items = files.Write("items.csv", "item,name\na,Lamp\n");
        InputFileException error = Assert.Throws<InputFileException>(() => Source([items]).Of(Model));
        Assert.Equal($"{items}: there is no column title, which STREAMING__Model__FeatureGroups names; there are name.", error.Message);
        InputFileException others = Assert.Throws<InputFileException>(() =>
            Source([files.Write("others.csv", "item,title\nx,Lamp\n")]).Of(Model)
        );
        Assert.Contains("none of its items is in the interactions", others.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_GroupsThatNoFileGives_AreLeftOutAndToldOnce()
    {
        FeatureSource source = Source([]);
        Assert.Empty(source.Of(Model).Groups);
        Assert.Empty(source.Of(Model).Groups);
        Assert.Equal(2, _told.Count);
        Assert.StartsWith("feature group words:64=title is not used: there are no item files", _told[0], StringComparison.Ordinal);

        using var files = new TemporaryFiles();
        ModelOptions mixed = Model with { FeatureGroups = [new FeatureGroup("image", 4), .. Model.FeatureGroups] };
        Assert.Equal(Model.FeatureGroups, Source([files.Write("items.csv", Catalogue)]).Of(mixed).Groups);
        Assert.Contains(_told, static line => line.StartsWith("feature group image:4 is not used", StringComparison.Ordinal));
    }

    [Fact]
    public void Of_NoHashedGroup_FitsAndSaysThatAStreamCannot()
    {
        using var files = new TemporaryFiles();
        ItemFeatures features = Source([files.Write("items.csv", Catalogue)]).Of(new ModelOptions());
        Assert.Equal("file0", Assert.Single(features.Groups).Name);
        Assert.Contains("which a stream cannot have", Assert.Single(_told), StringComparison.Ordinal);
    }

    /// <summary>What `streaming encode` writes: values, which the demo and replay send and a backtest takes.</summary>
    [Fact]
    public void Of_ValuesOfItemFiles_AreThoseThatAreSent()
    {
        using var files = new TemporaryFiles();
        string items = files.Write(
            "items.jsonl",
            "{\"item_id\":\"a\",\"source\":\"1\",\"text\":{\"title\":\"Lamp\"},\"features\":{\"image\":[1,0.5,-2]}}\n"
                + "{\"item_id\":\"b\",\"source\":\"1\",\"text\":{},\"features\":{\"image\":[0,3,0.25]}}\n"
                + "{\"item_id\":\"c\",\"source\":\"1\",\"text\":{\"title\":\"Soap\"},\"features\":{}}\n"
        );
        var image = new FeatureGroup("image", 3);
        ModelOptions model = new() { FeatureGroups = [image, FeatureGroup.Hashed("words", 8, new TextField("title"))] };
        ItemFeatures features = Source([items]).Of(model);

        Assert.Equal(model.FeatureGroups, features.Groups);
        Assert.Equal([1, 0.5f, -2], features.Rows[0][..3]);
        Assert.Equal([0, 3, 0.25f, 0, 0, 0, 0, 0, 0, 0, 0], features.Rows[1]);
        Assert.Equal([0, 0, 0], features.Rows[2][..3]);
        Assert.Equal([0, 3, 0.25f], features.Change("b")!.Features["image"]);
        Assert.Contains("image:3: values of the item files; 3 of 5 items have none", Assert.Single(_told), StringComparison.Ordinal);

        string events = files.Write("events.csv", "user,item,timestamp\nu,b,1600000001\nu,d,1600000002\n");
        EventLog log = EventFileReader.ReadAll([events], new EventFileOptions(), static _ => { });
        var feed = new FileFeed(log, ItemCatalogue.ReadAll([items], withFeatures: true));
        Assert.True(feed.TryNext(out FeedRecord record));
        Assert.Equal((FeedKind.Item, "b"), (record.Kind, record.ItemId));
        Assert.Equal([0, 3, 0.25f], record.Features["image"]);
    }

    [Fact]
    public void Of_ModelWithoutTheGroupsOfTheFiles_HasNoFeaturesAndSaysSo()
    {
        using var files = new TemporaryFiles();
        string items = files.Write("items.jsonl", "{\"item_id\":\"a\",\"image\":[1,2,3]}\n");

        Assert.Empty(Source([items]).Of(new ModelOptions()).Groups);
        Assert.Contains("uses no features of --items, which has image:3", Assert.Single(_told), StringComparison.Ordinal);
        Assert.Empty(Source([items]).Of(new ModelOptions { FeatureGroups = [new FeatureGroup("text", 3)] }).Groups);
        Assert.Contains(_told, static line => line.Contains("--items has no values of it, but of image:3", StringComparison.Ordinal));
    }

    [Fact]
    public void Of_GroupsOfOtherLengths_AreRefused()
    {
        using var files = new TemporaryFiles();
        string items = files.Write("items.jsonl", "{\"item_id\":\"a\",\"image\":[1,2,3]}\n");
        string mixed = files.Write("mixed.jsonl", "{\"item_id\":\"a\",\"image\":[1,2,3]}\n{\"item_id\":\"b\",\"image\":[1]}\n");
        ModelOptions model = new() { FeatureGroups = [new FeatureGroup("image", 4)] };

        Assert.Contains(
            "feature group image has 3 numbers; STREAMING__Model__FeatureGroups says image:4",
            Assert.Throws<InputFileException>(() => Source([items]).Of(model)).Message,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "line 2: feature group 'image' of item 'b' has 1 numbers, of earlier items 3",
            Assert.Throws<InputFileException>(() => Source([mixed]).Of(model)).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Of_MappedColumns_AreThoseOfAFileWithTheKnownNames()
    {
        using var files = new TemporaryFiles();
        string known = files.Write("items.csv", Catalogue);
        string other = files.Write(
            "products.csv",
            "no,brand,name,maker,tags\n"
                + string.Join('\n', Catalogue.Split('\n')[1..^1].Select(static row => row.Insert(1, ",wrong")))
                + "\n"
        );
        var map = ItemMap.ParseOfFiles("item=no,title=name,brand=maker,categories=tags");

        ItemFeatures expected = Source([known]).Of(Model);
        ItemFeatures found = new FeatureSource([other], Items, 8, _told.Add, map).Of(Model);

        Assert.Equal(expected.Rows.Select(Bits), found.Rows.Select(Bits));
        InputFileException error = Assert.Throws<InputFileException>(() =>
            new FeatureSource([other], Items, 8, _told.Add, map).Of(new ModelOptions())
        );
        Assert.StartsWith("--item-columns: features that are fitted on a file", error.Message, StringComparison.Ordinal);
    }

    private FeatureSource Source(string[] paths) => new(paths, Items, 8, _told.Add);

    private static float[] LiveValues(FeedRecord record, RecordFormat format)
    {
        var item = new Item { ItemId = record.ItemId };
        item.Text.Add(new Dictionary<string, string>(record.Text));
        byte[] value =
            format == RecordFormat.Protobuf
                ? item.ToByteArray()
                : JsonSerializer.SerializeToUtf8Bytes(new { item_id = record.ItemId, text = record.Text });
        var limits = new ItemLimits
        {
            Categories = new HashSet<string> { "brand", "categories" },
        };
        DeadLetterReason reason = new ItemDecoder(format, 10_000, limits).Decode(
            Encoding.UTF8.GetBytes(record.ItemId),
            value,
            isTombstone: false,
            5,
            out ItemChange? change
        );
        Assert.Equal(DeadLetterReason.None, reason);
        return Values(change!);
    }

    private static float[] Values(ItemChange change)
    {
        var reader = new FeatureReader(Model.FeatureGroups);
        Assert.Null(reader.Read(change));
        return reader.Values.ToArray();
    }

    private static uint[] Bits(float[] values) => [.. values.Select(BitConverter.SingleToUInt32Bits)];
}
