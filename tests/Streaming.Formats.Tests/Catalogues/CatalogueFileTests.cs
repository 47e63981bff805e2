using Parquet.Serialization;
using Streaming.Formats.Catalogues;
using Streaming.Formats.Inputs;
using Streaming.Formats.Mapping;
using Streaming.Tests;
using Xunit;

namespace Streaming.Formats.Tests.Catalogues;

public sealed class CatalogueFileTests : IDisposable
{
    private readonly TemporaryFiles _files = new();
    private readonly List<string> _told = [];

    public void Dispose() => _files.Dispose();

    [Theory]
    [InlineData("{\"item_id\":\"a\",\"title\":\"Red lamp\",\"tags\":[\"x\",\"y\"],\"image\":[1,0.5]}")]
    [InlineData("{\"id\":\"a\",\"Title\":\"Red lamp\",\"tags\":\"x|y\",\"image\":[1,0.5],\"brand\":null}")]
    [InlineData("{\"item_id\":\"a\",\"source\":\"7\",\"text\":{\"title\":\"Red lamp\",\"tags\":\"x|y\"},\"features\":{\"image\":[1,0.5]}}")]
    [InlineData("[{\"sku\":\"a\",\"title\":\"Red lamp\",\"tags\":[\"x\",\"y\"],\"image\":[1,0.5]}]")]
    public void Read_JsonRecords_AreTextAndFeatures(string json)
    {
        CatalogueItem item = Assert.Single(Read(json));

        Assert.Equal("a", item.Id);
        Assert.Equal([("tags", "x|y"), ("title", "Red lamp")], item.Text.Select(static field => (field.Key, field.Value)).Order());
        Assert.Equal([1, 0.5f], item.Features["image"]);
        Assert.Single(item.Features);
        Assert.Empty(_told);
    }

    [Fact]
    public void Read_JsonValues_AreTheirText()
    {
        CatalogueItem item = Assert.Single(
            Read("{\"item_id\":17,\"price\":9.90,\"new\":true,\"nothing\":null,\"none\":[],\"attributes\":{\"a\":[\"x\"],\"b\":1.50}}")
        );

        Assert.Equal("17", item.Id);
        Assert.Equal([("new", "true"), ("price", "9.90")], item.Text.Select(static field => (field.Key, field.Value)).Order());
        Assert.Equal("{\"a\":[\"x\"],\"b\":1.50}", item.Attributes);
    }

    [Fact]
    public void Read_FieldsThatCannotBeUsed_AreToldOnce()
    {
        CatalogueItem[] items = Read("{\"id\":\"a\",\"maker\":{\"name\":\"x\"},\"t\":\"1\"}\n{\"id\":\"b\",\"maker\":{\"name\":\"y\"}}\n");

        Assert.Equal(["a", "b"], items.Select(static item => item.Id));
        Assert.Equal(["t"], items[0].Text.Keys);
        Assert.Contains("field maker is an object and is not used", Assert.Single(_told), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Read_Parquet_HasEveryColumn()
    {
        string path = _files.Path("items.parquet");
        ParquetItem[] rows =
        [
            new()
            {
                ItemId = "a",
                Title = "Red lamp",
                Stock = 3,
                Tags = ["x", "y"],
                Image = [1, -0.1f],
            },
            new() { ItemId = "b" },
        ];
        await ParquetSerializer.SerializeAsync(rows, path, cancellationToken: TestContext.Current.CancellationToken);

        CatalogueItem[] items = [.. CatalogueFile.Read(path, _told.Add)];

        Assert.Equal(["a", "b"], items.Select(static item => item.Id));
        Assert.Equal(
            [("stock", "3"), ("tags", "x|y"), ("title", "Red lamp")],
            items[0].Text.Select(static field => (field.Key, field.Value)).Order()
        );
        Assert.Equal([1, -0.1f], items[0].Features["image"]);
        Assert.Empty(items[1].Features);
        Assert.False(CatalogueFile.IsDelimited(path));
    }

    [Fact]
    public void Read_DelimitedText_IsTextUnderLowerCasedNames()
    {
        string path = _files.Write("items.csv", "Item,Title\na,Lamp\nb,\n");

        Assert.True(CatalogueFile.IsDelimited(path));
        CatalogueItem[] items = [.. CatalogueFile.Read(path, _told.Add)];
        Assert.Equal("Lamp", items[0].Text["title"]);
        Assert.Empty(items[1].Text);
    }

    [Theory]
    [InlineData("{\"title\":\"Lamp\"}", "line 1: no item id; allowed: a text or a number named item_id")]
    [InlineData("{\"id\":\"a\"}\n{\"id\":\"\"}", "line 2, column id: the value is empty")]
    [InlineData("{\"id\":\"a\",\"f\":[1,\"x\"]}", "line 1, column f: a list of numbers has a value that is not a number")]
    [InlineData("{\"id\":\"a\",\"f\":[1,1e9]}", "line 1, column f: the value has the number 1000000000; allowed: up to 1000000")]
    [InlineData("{\"id\":\"a\",\"\":\"x\"}", "line 1: a field has no name")]
    [InlineData("{\"id\":\"a\"}\n{\"id\":", "line 2: not JSON")]
    [InlineData("", "the file is empty")]
    [InlineData("a\0b", "neither text nor of a known format")]
    public void Read_WhatTheWorkerWouldRefuse_IsRefusedWithItsPlace(string text, string expected)
    {
        InputFileException error = Assert.Throws<InputFileException>(() => Read(text));
        Assert.StartsWith(_files.Path("items"), error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_MoreThanARecordHolds_IsRefused()
    {
        string wide = "{\"id\":\"a\"," + string.Join(',', Enumerable.Range(0, 65).Select(static i => $"\"t{i}\":\"x\"")) + "}";
        string group = "{\"id\":\"a\",\"f\":[" + string.Join(',', new int[8193]) + "]}";

        Assert.Contains("65 text fields and 0 feature groups; allowed: 64 and 16", Message(wide), StringComparison.Ordinal);
        Assert.Contains("has 8193 numbers; allowed: 8192", Message(group), StringComparison.Ordinal);
        Assert.Contains(
            "longer than 65536 characters",
            Message("{\"id\":\"a\",\"t\":\"" + new string('x', 65_537) + "\"}"),
            StringComparison.Ordinal
        );
        Assert.Contains("longer than 256 bytes", Message("{\"id\":\"" + new string('x', 257) + "\"}"), StringComparison.Ordinal);

        string Message(string text) => Assert.Throws<InputFileException>(() => Read(text)).Message;
    }

    [Theory]
    [InlineData("sku;name;maker;price\n007;Red lamp;Acme;9.90\n", "item=sku,title=name,brand=maker")]
    [InlineData("007::Red lamp::Acme\n008::Blue lamp::Acme\n", "item=0,title=1,brand=2")]
    [InlineData("{\"sku\":\"007\",\"name\":\"Red lamp\",\"maker\":{\"name\":\"Acme\"},\"id\":9}", "item=sku,title=name,brand=maker.name")]
    [InlineData("{\"after\":{\"sku\":\"007\",\"name\":\"Red lamp\"},\"op\":\"c\"}", "item=sku,title=name,brand=maker|:Acme")]
    public void Read_Mapped_TakesTheNamedFieldsAlone(string text, string map)
    {
        CatalogueItem item = Read(text, map)[0];

        Assert.Equal("007", item.Id);
        Assert.Equal([("brand", "Acme"), ("title", "Red lamp")], item.Text.Select(static field => (field.Key, field.Value)).Order());
        Assert.Empty(_told);
    }

    [Fact]
    public async Task Read_MappedParquet_TakesListsOfNumbersAsFeatures()
    {
        string path = _files.Path("items.parquet");
        ParquetItem[] rows =
        [
            new()
            {
                ItemId = "a",
                Title = "Red lamp",
                Image = [1, 0.5f],
            },
        ];
        await ParquetSerializer.SerializeAsync(rows, path, cancellationToken: TestContext.Current.CancellationToken);

        CatalogueItem item = Assert.Single(CatalogueFile.Read(path, _told.Add, ItemMap.ParseOfFiles("item=title,picture=image")));

        Assert.Equal("Red lamp", item.Id);
        Assert.Equal([1, 0.5f], item.Features["picture"]);
        Assert.Empty(item.Text);
        InputFileException error = Assert.Throws<InputFileException>(() =>
            CatalogueFile.Read(path, _told.Add, ItemMap.ParseOfFiles("item=ItemId,brand=maker")).Count()
        );
        Assert.EndsWith(
            "there is no column 'maker'; the file has ItemId, Title, Stock, Tags, Image",
            error.Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Read_MappedAttributes_AreThoseOfTheRecord()
    {
        CatalogueItem item = Assert.Single(
            Read("{\"sku\":\"a\",\"facts\":{\"brand\":\"Acme\",\"price\":9.90}}", "item=sku,attributes=facts")
        );

        Assert.Equal("{\"brand\":\"Acme\",\"price\":9.90}", item.Attributes);
    }

    [Fact]
    public void Read_MappedFieldThatNoRecordHas_IsTold()
    {
        Assert.Single(Read("{\"sku\":\"a\",\"name\":\"Lamp\"}", "item=sku,title=nmae,brand=maker"));

        Assert.EndsWith("no record has a value of brand, title, as mapped", Assert.Single(_told), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("sku,name\na,Lamp\n", "item=sku,title=nmae", "line 1: there is no column 'nmae'; the file has sku, name")]
    [InlineData("sku,name\na,Lamp\n,Lamp\n", "item=sku,title=name", "line 3: no item id in sku; allowed: a text or a number")]
    [InlineData("sku,name\na,Lamp,x,y\n", "item=sku,title=name", "line 2: 4 fields, 2 expected")]
    [InlineData("{\"name\":\"Lamp\"}", "item=sku,title=name", "line 1: no item id in sku; allowed: a text or a number")]
    [InlineData("[7]", "item=sku", "not an object")]
    public void Read_MappedRecordsThatDoNotFit_AreRefusedWithTheirPlace(string text, string map, string expected)
    {
        InputFileException error = Assert.Throws<InputFileException>(() => Read(text, map));
        Assert.StartsWith(_files.Path("items"), error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("title=name", "lacks the item; add item=…")]
    [InlineData("item=$key", "'$key' in 'item=$key' is of topics; a file's records have columns only.")]
    [InlineData("item=sku,brand=$header.brand", "'$header.brand' in")]
    [InlineData("item=lines[].sku", "is for events; a catalogue record is one item")]
    public void ParseOfFiles_WhatAFileCannotHave_IsRefused(string map, string expected) =>
        Assert.Contains(expected, Assert.Throws<FieldMapException>(() => ItemMap.ParseOfFiles(map)).Message, StringComparison.Ordinal);

    private CatalogueItem[] Read(string text, string map) =>
        [.. CatalogueFile.Read(_files.Write("items", text), _told.Add, ItemMap.ParseOfFiles(map))];

    private CatalogueItem[] Read(string text) => [.. CatalogueFile.Read(_files.Write("items", text), _told.Add)];

    private sealed class ParquetItem
    {
        public string ItemId { get; set; } = string.Empty;

        public string? Title { get; set; }

        public int? Stock { get; set; }

        public List<string>? Tags { get; set; }

        public List<float>? Image { get; set; }
    }
}
