using Streaming.Formats.Inputs;
using Streaming.Tests;
using Streaming.Worker.Serve;
using Xunit;

namespace Streaming.Worker.Tests.Serve;

public class ItemCatalogueTests
{
    [Theory]
    [InlineData("item,title,brand\ni1,\"Lamp, red\",Acme\ni2,,\n")]
    [InlineData("Item;Title;Brand\ni1;Lamp, red;Acme\ni2;;\n")]
    [InlineData("brand,sku,title,id\nAcme,i1,\"Lamp, red\",7\n,i2,,\n")]
    [InlineData("title;brand;Product ID\nLamp, red;Acme;i1\n;;i2\n")]
    [InlineData("item_id:token\ttitle:token_seq\tbrand\ni1\tLamp, red\tAcme\ni2\t\t\n")]
    public void ReadAll_RowsOfItems_BecomeTextFields(string text)
    {
        using var files = new TemporaryFiles();

        var catalogue = ItemCatalogue.ReadAll([files.Write("items.csv", text)]);

        Assert.Equal(2, catalogue.Count);
        Assert.Equal("Lamp, red", catalogue.Find("i1")!["title"]);
        Assert.Equal("Acme", catalogue.Find("i1")!["brand"]);
        Assert.Empty(catalogue.Find("i2")!);
    }

    [Theory]
    [InlineData("title,code\nLamp,i1\n", "line 1: no column is named as items are; the columns are title, code; allowed: item_id, item,")]
    [InlineData("item,title,\ni1,Lamp,x\n", "line 1: column 3 has no name")]
    [InlineData("item,title\ni1,Lamp,x\n", "line 2: 3 fields; expected 2")]
    [InlineData("item,title\ni1,\"Lamp\" red\n", "line 2: text after a closing quote")]
    public void ReadAll_WhatTheWorkerWouldRefuse_IsRefusedWithItsPlace(string text, string expected)
    {
        using var files = new TemporaryFiles();
        string path = files.Write("items.csv", text);

        Assert.Contains(expected, Assert.Throws<InputFileException>(() => ItemCatalogue.ReadAll([path])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ReadAll_MoreThanARecordHolds_IsRefusedWithItsPlace()
    {
        using var files = new TemporaryFiles();
        string wide = files.Write("wide.csv", "item," + string.Join(',', Enumerable.Range(0, 65).Select(i => $"t{i}")) + "\n");
        string longText = files.Write("long.csv", $"item,title\ni1,{new string('x', 65_537)}\n");
        string longId = files.Write("id.csv", $"item,title\n{new string('x', 257)},Lamp\n");

        Assert.Contains("65 columns besides the item; allowed: 64", Message(wide), StringComparison.Ordinal);
        Assert.Contains("line 2, column title: the value is longer than 65536 characters", Message(longText), StringComparison.Ordinal);
        Assert.Contains("line 2, column item: the value is longer than 256 bytes", Message(longId), StringComparison.Ordinal);

        static string Message(string path) => Assert.Throws<InputFileException>(() => ItemCatalogue.ReadAll([path])).Message;
    }
}
