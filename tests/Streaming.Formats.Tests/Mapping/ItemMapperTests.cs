using System.Text;
using Streaming.Core.Events;
using Streaming.Formats.Json;
using Streaming.Formats.Mapping;
using Streaming.Formats.Records;
using Xunit;

namespace Streaming.Formats.Tests.Mapping;

public class ItemMapperTests
{
    [Theory]
    [InlineData("{\"sku\":\"i\",\"code\":\"c\",\"name\":\"n\"}", "i n")]
    [InlineData("{\"sku\":null,\"code\":\"c\",\"label\":\"l\"}", "c l")]
    [InlineData("{\"sku\":\"\",\"code\":\"c\"}", "c ")]
    public void Map_Alternatives_TakeTheFirstThatHasAValue(string json, string expected)
    {
        var map = ItemMap.Parse("item=sku|code,title=name|label");
        var mapper = new ItemMapper(map);

        Assert.Equal(DeadLetterReason.None, Map(mapper, json));
        Assert.Equal(expected, $"{Text(mapper.Item)} {Text(mapper.Field(map.Fields[0].Value))}");
        Assert.False(mapper.IsRemoved);
    }

    [Theory]
    [InlineData("17850", "17850")]
    [InlineData("17850.0", "17850")]
    [InlineData("\"17850.0\"", "17850")]
    [InlineData("\"v1.0\"", "v1.0")]
    public void Map_Id_IsThatOfTheItemsEvents(string written, string expected)
    {
        var mapper = new ItemMapper(ItemMap.Parse("item=sku"));
        var events = new EventMapper(FieldMap.Parse("user=sku,item=sku,time=:2026-01-01T00:00:00Z"), new TimeReader());
        var record = new RecordTree();
        Assert.True(JsonTree.TryRead(Encoding.UTF8.GetBytes($"{{\"sku\":{written}}}"), record));

        Assert.Equal(DeadLetterReason.None, mapper.Map(record, null));
        Assert.Equal(DeadLetterReason.None, events.Map(record, null));
        Assert.Equal(expected, Encoding.UTF8.GetString(mapper.ItemId));
        Assert.Equal(expected, Encoding.UTF8.GetString(events[0].ItemId));
    }

    [Theory]
    [InlineData("{\"before\":{\"sku\":\"i\"},\"after\":null,\"op\":\"d\"}")]
    [InlineData("{\"sku\":\"i\",\"__deleted\":\"true\"}")]
    public void Map_DeletedRow_RemovesItsItem(string json)
    {
        var mapper = new ItemMapper(ItemMap.Parse("item=sku"));

        Assert.Equal(DeadLetterReason.None, Map(mapper, json));
        Assert.Equal("i", Text(mapper.Item));
        Assert.True(mapper.IsRemoved);
    }

    [Theory]
    [InlineData("item=sku|$timestamp", "'sku|$timestamp' in")]
    [InlineData("item=sku,title=name|tags[].text", "in 'item=sku,title=name|tags[].text' is for events")]
    public void Parse_AlternativeThatOnlyEventsHave_IsRefused(string columns, string said) =>
        Assert.Contains(said, Assert.Throws<FieldMapException>(() => ItemMap.Parse(columns)).Message, StringComparison.Ordinal);

    private static DeadLetterReason Map(ItemMapper mapper, string json)
    {
        var tree = new RecordTree();
        Assert.True(JsonTree.TryRead(Encoding.UTF8.GetBytes(json), tree));
        return mapper.Map(tree, null);
    }

    private static string Text(RecordValue value) => Encoding.UTF8.GetString(value.Text);
}
