using Google.Protobuf;
using Streaming.Contracts;
using Streaming.Core.Dedup;
using Streaming.Core.Events;
using Streaming.Core.Histories;
using Streaming.Core.Ingestion;
using Streaming.Core.Positions;
using Streaming.Transport.Kafka;
using Streaming.Transport.Kafka.Clients;
using Streaming.Transport.Kafka.Decoding;
using Xunit;

namespace Streaming.Transport.Tests.Kafka.Decoding;

public class EventDecoderTests
{
    private static readonly byte[] Message = new Interaction
    {
        UserId = "u",
        ItemId = "i",
        EventTimeMs = 5,
    }.ToByteArray();

    [Theory]
    [InlineData("", DeadLetterReason.None)]
    [InlineData("00 0000002A 00", DeadLetterReason.None)] // [0], the short form
    [InlineData("00 0000002A 02 00", DeadLetterReason.None)] // [0]
    [InlineData("00 0000002A 04 02 06", DeadLetterReason.None)] // [1, 3]
    public void Decode_ConfluentHeader_IsSkipped(string header, DeadLetterReason expected)
    {
        EventDecoder decoder = new(RecordFormat.Protobuf, 1000);
        Assert.Equal(expected, decoder.Decode([.. Hex(header), .. Message], out InteractionEvent decoded));
        Assert.Equal("u"u8, decoded.UserId);
    }

    [Theory]
    [InlineData("00")]
    [InlineData("00000000")]
    [InlineData("0000000001")] // no indexes
    [InlineData("000000000103")] // length -2
    [InlineData("0000000001FFFFFFFF0F")] // length far out of bounds
    [InlineData("000000000102")] // index missing
    [InlineData("00000000010201")] // index -1
    [InlineData("0000000001808080808080")] // varint too long
    public void Decode_BrokenConfluentHeader_IsRefused(string header) =>
        Assert.Equal(DeadLetterReason.BadWireHeader, new EventDecoder(RecordFormat.Protobuf, 1000).Decode(Hex(header), out _));

    [Fact]
    public void Decode_ConfluentHeaderBeforeJson_IsSkipped()
    {
        EventDecoder decoder = new(RecordFormat.Json, 1000);
        Assert.Equal(DeadLetterReason.None, decoder.Decode([0, 0, 0, 0, 9, .. """{"item_id":"x"}"""u8], out InteractionEvent decoded));
        Assert.Equal("x"u8, decoded.ItemId);
    }

    [Fact]
    public void Decode_EmptyOrTooLong_IsRefused()
    {
        EventDecoder decoder = new(RecordFormat.Json, 100);
        Assert.Equal(DeadLetterReason.Empty, decoder.Decode([], out _));
        Assert.Equal(DeadLetterReason.TooLarge, decoder.Decode(new byte[101], out _));
    }

    [Theory]
    [InlineData(RecordFormat.Protobuf)]
    [InlineData(RecordFormat.Json)]
    public void DecodeAndBatch_SteadyStream_AllocatesNothing(RecordFormat format)
    {
        EventDecoder decoder = new(format, 1 << 20);
        byte[][] values = [.. Enumerable.Range(0, 2000).Select(i => Value(format, i))];
        IngestState state = new(new HistoryOptions { Length = 50, MaxUsers = 100 }, new DedupOptions { Capacity = 1000 });
        BatchPool pool = new(128, 50);
        EventRules rules = new(new EventTypes(new Dictionary<string, float> { ["view"] = 1f }), TimeSpan.FromDays(1), TimeProvider.System);
        Batcher batcher = new(
            new BatcherOptions { BatchSize = 128 },
            rules,
            state,
            new StreamPositions(["t"], []),
            pool,
            TimeProvider.System
        );
        for (int warmUp = 0; warmUp < 30; warmUp++)
        {
            Feed(decoder, values, batcher, pool);
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        Feed(decoder, values, batcher, pool);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(0, batcher.Totals.DeadLettered);
    }

    private static void Feed(EventDecoder decoder, byte[][] values, Batcher batcher, BatchPool pool)
    {
        for (int i = 0; i < values.Length; i++)
        {
            if (
                decoder.Decode(values[i], out InteractionEvent decoded) != DeadLetterReason.None
                || batcher.Add(decoded, 1_700_000_000_000, 0) != DeadLetterReason.None
            )
            {
                batcher.Reject();
            }

            batcher.Advance(0, 0, i);
            if (batcher.IsDue)
            {
                pool.Return(batcher.Seal());
            }
        }
    }

    private static byte[] Value(RecordFormat format, int i)
    {
        // Some types contain a quote: JSON escapes take a different code path.
        Interaction message = new()
        {
            UserId = $"user-{i % 150}",
            ItemId = $"item-{i % 333}",
            Type = i % 7 == 0 ? "\"" : "view",
            EventTimeMs = 1_700_000_000_000 + i,
            EventId = $"{i}",
            Value = i,
        };
        return format == RecordFormat.Protobuf ? message.ToByteArray() : ContractJson.Write(message);
    }

    private static byte[] Hex(string hex) => Convert.FromHexString(hex.Replace(" ", string.Empty, StringComparison.Ordinal));
}
