using System.Text;
using Streaming.Core.Events;
using Streaming.Formats.Json;
using Streaming.Formats.Mapping;
using Streaming.Formats.Records;
using Xunit;

namespace Streaming.Formats.Tests.Mapping;

public class EventMapperTests
{
    private const string Flat =
        "{\"user_id\":\"u\",\"item_id\":\"i\",\"type\":\"cart\",\"event_time_ms\":1700000000000,\"event_id\":\"e\"}";

    [Theory]
    [InlineData(Flat)]
    [InlineData("{\"userId\":\"u\",\"itemId\":\"i\",\"eventType\":\"cart\",\"timestamp\":\"2023-11-14T22:13:20Z\",\"eventId\":\"e\"}")]
    [InlineData("{\"USER_ID\":\"u\",\"ITEM_ID\":\"i\",\"EVENT_TYPE\":\"cart\",\"TIMESTAMP\":1700000000,\"event id\":\"e\"}")]
    [InlineData("{\"schema\":null,\"payload\":" + Flat + "}")]
    [InlineData("{\"before\":null,\"after\":" + Flat + ",\"op\":\"c\",\"ts_ms\":1}")]
    [InlineData("{\"schema\":{},\"payload\":{\"before\":null,\"after\":" + Flat + ",\"op\":\"u\"}}")]
    [InlineData(
        "{\"specversion\":\"1.0\",\"id\":\"e\",\"type\":\"cart\",\"time\":\"2023-11-14T22:13:20Z\",\"data\":{\"user\":\"u\",\"item\":\"i\"}}"
    )]
    [InlineData("[" + Flat + "]")]
    [InlineData("{\"hits\":{\"hits\":[{\"_index\":\"x\",\"_id\":\"1\",\"_source\":" + Flat + "}]}}")]
    public void Map_UsualShapesWithoutAMapping_AreTheSameEvent(string json) =>
        Assert.Equal(["u i cart 1700000000000 e"], Events(new EventMapper(null, new TimeReader()), json));

    [Theory]
    [InlineData(
        "user=after.user.id,item=after.sku,time=after.at",
        "{\"after\":{\"user\":{\"id\":7},\"sku\":\"i\",\"at\":1700000000},\"op\":\"c\"}",
        "7 i  1700000000000 "
    )]
    [InlineData(
        "user=user.id,item=sku,time=at",
        "{\"after\":{\"user\":{\"id\":7},\"sku\":\"i\",\"at\":1700000000},\"op\":\"c\"}",
        "7 i  1700000000000 "
    )]
    [InlineData(
        "user=userid,item=item_no,type=:buy,time=at",
        "{\"userId\":17850.0,\"ItemNo\":\"5\\u00e9\",\"at\":1700000000}",
        "17850 5é buy 1700000000000 "
    )]
    [InlineData(
        "user=u,item=i,time=t",
        "{\"u\":12345678901234567890,\"i\":\"a\\\"b\",\"t\":\"1700000000000000\"}",
        "12345678901234567890 a\"b  1700000000000 "
    )]
    [InlineData("user=0,item=1,time=2", "[\"u\",\"i\",1700000000]", "u i  1700000000000 ")]
    [InlineData(
        "user=rows.1.u,item=i,time=t",
        "{\"rows\":[{},{\"u\":\"second\"}],\"i\":\"i\",\"t\":1700000000}",
        "second i  1700000000000 "
    )]
    public void Map_Paths_LeadToTheirValues(string columns, string json, string expected) =>
        Assert.Equal([expected], Events(Mapper(columns), json));

    [Theory]
    [InlineData("{\"userId\":\"u\",\"anonymousId\":\"a\",\"i\":\"i\",\"t\":1700000000}", "u i view 1700000000000 ")]
    [InlineData("{\"userId\":null,\"anonymousId\":\"a\",\"i\":\"i\",\"t\":1700000000}", "a i view 1700000000000 ")]
    [InlineData("{\"userId\":\"\",\"anonymousId\":\"a\",\"i\":\"i\",\"at\":1700000001}", "a i view 1700000001000 ")]
    [InlineData("{\"user\":null,\"anonymousId\":\"a\",\"i\":\"i\",\"t\":1700000000,\"e\":\"buy\"}", "a i buy 1700000000000 ")]
    public void Map_Alternatives_TakeTheFirstThatHasAValue(string json, string expected) =>
        Assert.Equal([expected], Events(Mapper("user=user.id|userId|anonymousId,item=i,time=t|at,type=e|:view"), json));

    [Fact]
    public void Map_NoAlternativeHasAValue_NamesThemAll()
    {
        EventMapper mapper = Mapper("user=userId|anonymousId,item=i,time=t");
        DeadLetterReason reason = Map(mapper, "{\"userId\":\"\",\"i\":\"i\",\"t\":1700000000}");

        Assert.Equal(DeadLetterReason.NoUser, reason);
        Assert.StartsWith("user (userId|anonymousId) is empty", mapper.Explain(reason), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"true\"", 0)]
    [InlineData("true", 0)]
    [InlineData("\"false\"", 1)]
    public void Map_RowMarkedAsDeleted_HasNoEvent(string deleted, int events)
    {
        EventMapper mapper = Mapper("user=u,item=i,time=t");
        Assert.Equal(DeadLetterReason.None, Map(mapper, $"{{\"u\":\"u\",\"i\":\"i\",\"t\":1700000000,\"__deleted\":{deleted}}}"));
        Assert.Equal(events, mapper.Count);
    }

    [Fact]
    public void Map_ListInARecord_IsAnEventForEachElementWithAnIdOfItsOwn()
    {
        EventMapper mapper = Mapper("user=user,item=lines[].sku,type=:purchase,time=at,id=order,value=lines[].price");

        Assert.Equal(
            ["u a purchase 1700000000000 o7-0", "u b purchase 1700000000000 o7-1"],
            Events(mapper, "{\"order\":\"o7\",\"user\":\"u\",\"at\":1700000000,\"lines\":[{\"sku\":\"a\",\"price\":1.5},{\"sku\":\"b\"}]}")
        );
        Assert.Equal(1.5, mapper[0].Value);
        Assert.Null(mapper[1].Value);
        Assert.Empty(Events(mapper, "{\"order\":\"o8\",\"user\":\"u\",\"at\":1700000000,\"lines\":[]}"));
    }

    [Fact]
    public void Map_OneBadElement_RefusesTheWholeRecord()
    {
        EventMapper mapper = Mapper("user=user,item=lines[].sku,time=at");

        Assert.Equal(DeadLetterReason.NoItem, Map(mapper, "{\"user\":\"u\",\"at\":1700000000,\"lines\":[{\"sku\":\"a\"},{\"no\":1}]}"));
        Assert.Equal(0, mapper.Count);
        Assert.Equal("item (lines[].sku) is missing; the record has no", mapper.Explain(DeadLetterReason.NoItem));
    }

    [Theory]
    [InlineData("{\"before\":{\"u\":\"u\"},\"after\":null,\"op\":\"d\"}")]
    [InlineData("{\"schema\":{},\"payload\":{\"before\":{},\"after\":null,\"op\":\"d\"}}")]
    [InlineData("{\"schema\":{},\"payload\":null}")]
    [InlineData("{\"after\":null}")]
    public void Map_DeletedRow_IsNoEventAndNoError(string json)
    {
        EventMapper mapper = Mapper("user=after.u,item=after.i,time=after.t");

        Assert.Equal(DeadLetterReason.None, Map(mapper, json));
        Assert.Equal(0, mapper.Count);
    }

    [Theory]
    [InlineData("{\"i\":\"i\",\"t\":1700000000}", DeadLetterReason.NoUser, "user (u) is missing; the record has i, t")]
    [InlineData("{\"u\":\"\",\"i\":\"i\",\"t\":1700000000}", DeadLetterReason.NoUser, "user (u) is empty")]
    [InlineData("{\"u\":null,\"i\":\"i\",\"t\":1700000000}", DeadLetterReason.NoUser, "user (u) is empty")]
    [InlineData(
        "{\"u\":{\"id\":1},\"i\":\"i\",\"t\":1700000000}",
        DeadLetterReason.Malformed,
        "user (u) is an object; allowed: a text or a number"
    )]
    [InlineData("{\"u\":\"u\",\"i\":[1],\"t\":1700000000}", DeadLetterReason.Malformed, "item (i) is a list")]
    [InlineData(
        "{\"u\":true,\"i\":\"i\",\"t\":1700000000}",
        DeadLetterReason.Malformed,
        "user (u) is \"true\"; allowed: a text or a number"
    )]
    [InlineData("{\"u\":\"u\",\"i\":\"i\",\"t\":true}", DeadLetterReason.Malformed, "time (t) \"true\" is not a time")]
    [InlineData("{\"u\":\"u\",\"i\":\"i\"}", DeadLetterReason.NoTime, "time (t) is missing")]
    [InlineData(
        "{\"u\":\"u\",\"i\":\"i\",\"t\":20231101}",
        DeadLetterReason.TimeOutOfRange,
        "time (t) \"20231101\" is not a time, as s it would be 1970-08-23; allowed: ISO-8601"
    )]
    [InlineData("{\"u\":\"u\",\"i\":\"i\",\"t\":\"soon\"}", DeadLetterReason.Malformed, "time (t) \"soon\" is not a time")]
    [InlineData(
        "{\"u\":\"u\",\"i\":\"i\",\"t\":1700000000,\"v\":\"116,97\"}",
        DeadLetterReason.InvalidNumber,
        "value (v) is \"116,97\"; allowed: a number with a decimal point"
    )]
    [InlineData(
        "{\"u\":\"u\",\"i\":\"i\",\"t\":1700000000,\"d\":-1}",
        DeadLetterReason.InvalidNumber,
        "dwell (d) is \"-1\"; allowed: a number with a decimal point, 0 and up"
    )]
    [InlineData("17", DeadLetterReason.Malformed, "not an object")]
    public void Map_WhatIsNoEvent_IsExplained(string json, DeadLetterReason reason, string expected)
    {
        EventMapper mapper = Mapper("user=u,item=i,time=t,value=v,dwell=d");

        Assert.Equal(reason, Map(mapper, json));
        Assert.Contains(expected, mapper.Explain(reason), StringComparison.Ordinal);
    }

    [Fact]
    public void Map_IdsThatTheWorkerRefuses_AreRefusedHere()
    {
        EventMapper mapper = Mapper("user=u,item=i,time=t");
        string longId = new('x', InteractionEvent.MaxIdBytes + 1);

        Assert.Equal(DeadLetterReason.IdTooLong, Map(mapper, $"{{\"u\":\"{longId}\",\"i\":\"i\",\"t\":1700000000}}"));
        Assert.Contains("user (u) is longer than 256 bytes", mapper.Explain(DeadLetterReason.IdTooLong), StringComparison.Ordinal);
        Assert.Equal(DeadLetterReason.InvalidUtf8, Map(mapper, [.. "{\"u\":\"M"u8, 0xFC, .. "ller\",\"i\":\"i\",\"t\":1700000000}"u8]));
        Assert.Contains("user (u) is not UTF-8", mapper.Explain(DeadLetterReason.InvalidUtf8), StringComparison.Ordinal);
    }

    [Fact]
    public void Map_KeyHeadersAndTimestamp_AreTheRecordsOwn()
    {
        EventMapper mapper = Mapper("user=$key,item=sku,type=$header.ce_type,time=$timestamp,id=$header.ce_id");
        var origin = new Origin("k"u8.ToArray(), 1_700_000_000_001, new() { ["ce_type"] = "cart", ["ce_id"] = "e1" });

        Assert.Equal(["k i cart 1700000000001 e1"], Events(mapper, "{\"sku\":\"i\"}", origin));
        Assert.Equal(DeadLetterReason.NoUser, Map(mapper, "{\"sku\":\"i\"}", new Origin([], 5, [])));
    }

    [Fact]
    public void Map_NoTimeInATopicsRecord_IsTheRecordsTime()
    {
        var origin = new Origin([], 1_700_000_000_001, []);

        Assert.Equal(["u i  1700000000001 "], Events(Mapper("user=u,item=i"), "{\"u\":\"u\",\"i\":\"i\"}", origin));
        Assert.Equal(["u i  1700000000001 "], Events(new EventMapper(null, new TimeReader()), "{\"user\":\"u\",\"item\":\"i\"}", origin));
        Assert.Equal(DeadLetterReason.Malformed, Map(Mapper("user=u,item=i,time=t"), "{\"u\":\"u\",\"i\":\"i\",\"t\":\"never\"}", origin));
    }

    [Fact]
    public void Unseen_PathThatNoRecordHas_IsNamed()
    {
        EventMapper mapper = Mapper("user=u,item=i,time=t,type=knd");
        Map(mapper, "{\"u\":\"u\",\"i\":\"i\",\"t\":1700000000,\"kind\":\"view\"}");

        Assert.Equal([FieldRole.Type], mapper.Unseen);
    }

    [Fact]
    public void Map_MappedRecords_AllocateNothing()
    {
        EventMapper mapper = Mapper("user=after.user.id,item=after.sku,type=after.kind,time=after.at,id=after.id");
        byte[] json =
            "{\"before\":null,\"after\":{\"id\":\"e1\",\"user\":{\"id\":1000000010},\"sku\":\"SKU-1\",\"kind\":\"view\",\"at\":\"2026-03-01T00:00:42.645Z\"},\"op\":\"c\"}"u8.ToArray();
        var tree = new RecordTree();
        long bytes = 0;
        for (int pass = 0; pass < 2; pass++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < 1000; i++)
            {
                JsonTree.TryRead(json, tree);
                mapper.Map(tree, null);
            }

            bytes = GC.GetAllocatedBytesForCurrentThread() - before;
        }

        Assert.Equal(1, mapper.Count);
        Assert.Equal(0, bytes);
    }

    private static EventMapper Mapper(string columns) => new(FieldMap.Parse(columns), new TimeReader());

    private static DeadLetterReason Map(EventMapper mapper, string json, RecordOrigin? origin = null) =>
        Map(mapper, Encoding.UTF8.GetBytes(json), origin);

    private static DeadLetterReason Map(EventMapper mapper, byte[] json, RecordOrigin? origin = null)
    {
        var tree = new RecordTree();
        Assert.True(JsonTree.TryRead(json, tree));
        return mapper.Map(tree, origin);
    }

    private static string[] Events(EventMapper mapper, string json, RecordOrigin? origin = null)
    {
        DeadLetterReason reason = Map(mapper, json, origin);
        Assert.True(reason == DeadLetterReason.None, reason == DeadLetterReason.None ? string.Empty : mapper.Explain(reason));
        string[] events = new string[mapper.Count];
        for (int i = 0; i < events.Length; i++)
        {
            InteractionEvent mapped = mapper[i];
            events[i] =
                $"{Encoding.UTF8.GetString(mapped.UserId)} {Encoding.UTF8.GetString(mapped.ItemId)} "
                + $"{Encoding.UTF8.GetString(mapped.Type)} {mapped.EventTime} {Encoding.UTF8.GetString(mapped.EventId)}";
        }

        return events;
    }

    private sealed class Origin(byte[] key, long? timestamp, Dictionary<string, string> headers) : RecordOrigin
    {
        public override ReadOnlySpan<byte> Key => key;

        public override long? Timestamp => timestamp;

        public override bool TryFindHeader(string name, out ReadOnlySpan<byte> value)
        {
            bool isThere = headers.TryGetValue(name, out string? text);
            value = Encoding.UTF8.GetBytes(text ?? string.Empty);
            return isThere;
        }
    }
}
