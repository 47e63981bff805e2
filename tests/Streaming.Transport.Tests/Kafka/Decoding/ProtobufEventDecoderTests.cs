using System.Text;
using Google.Protobuf;
using Streaming.Contracts;
using Streaming.Core.Events;
using Streaming.Tests;
using Streaming.Transport.Kafka.Decoding;
using Xunit;

namespace Streaming.Transport.Tests.Kafka.Decoding;

/// <summary>Google.Protobuf's generated parser is the reference: both accept and reject the same records.</summary>
public class ProtobufEventDecoderTests
{
    [Fact]
    public void Decode_AllFields_AreThere()
    {
        Interaction message = new()
        {
            UserId = "ü",
            ItemId = "i",
            Type = "view",
            EventTimeMs = long.MaxValue,
            EventId = "e",
            Value = -2.5,
            DwellMs = -7,
        };
        AssertSame(message.ToByteArray());
    }

    [Fact]
    public void Decode_FieldTwice_TheLastCounts()
    {
        byte[] bytes =
        [
            .. new Interaction
            {
                UserId = "a",
                ItemId = "b",
                EventTimeMs = 1,
                Value = 1,
            }.ToByteArray(),
            .. new Interaction
            {
                UserId = "c",
                EventTimeMs = 2,
                Value = 3,
            }.ToByteArray(),
        ];
        Assert.Equal(DeadLetterReason.None, ProtobufEventDecoder.Decode(bytes, out InteractionEvent decoded));
        Assert.Equal("c"u8, decoded.UserId);
        Assert.Equal("b"u8, decoded.ItemId);
        Assert.Equal((2L, 3.0), (decoded.EventTime, decoded.Value));
        AssertSame(bytes);
    }

    [Theory]
    [InlineData("", true)]
    [InlineData("00", false)] // tag 0
    [InlineData("02", false)] // field 0
    [InlineData("0A", false)] // length missing
    [InlineData("0A05", false)] // shorter than it says
    [InlineData("0AFFFFFFFF0F", false)] // length -1
    [InlineData("0AFFFFFFFF07", false)] // length 2^31 - 1
    [InlineData("20FFFFFFFFFFFFFFFFFF01", true)] // time -1
    [InlineData("20FFFFFFFFFFFFFFFFFFFF01", false)] // varint of 11 bytes
    [InlineData("20808080", false)] // varint cut off
    [InlineData("310000000000", false)] // double cut off
    [InlineData("08 05", true)] // user_id as a varint: a field that is not known
    [InlineData("7A0161", true)] // unknown, length-delimited
    [InlineData("7D01020304", true)] // unknown, fixed 32
    [InlineData("790102030405060708", true)] // unknown, fixed 64
    [InlineData("7B 0801 7C", true)] // unknown group
    [InlineData("7B 83010801 8401 7C", true)] // group in a group
    [InlineData("7B 0801", false)] // group without an end
    [InlineData("7B 0801 74", false)] // another group's end
    [InlineData("7C", false)] // end without a beginning
    [InlineData("7E", false)] // wire type 6
    [InlineData("7F", false)] // wire type 7
    [InlineData("8A8080808080808080000161", true)] // tag with needless bytes
    public void Decode_WireFormatCorner_AsTheReference(string hex, bool expected)
    {
        byte[] bytes = Convert.FromHexString(hex.Replace(" ", string.Empty, StringComparison.Ordinal));
        Assert.Equal(expected, ProtobufEventDecoder.Decode(bytes, out _) == DeadLetterReason.None);
        AssertSame(bytes);
    }

    [Theory]
    [InlineData(98)]
    [InlineData(99)]
    [InlineData(100)]
    [InlineData(101)]
    [InlineData(100_000)]
    public void Decode_NestedGroups_AreBoundedAsInTheReference(int depth)
    {
        byte[] bytes = [.. Enumerable.Repeat((byte)0x7B, depth), .. Enumerable.Repeat((byte)0x7C, depth)];
        AssertSame(bytes);
    }

    [Fact]
    [Trait("Kind", Fuzz.Kind)]
    public void Decode_MutatedMessages_AsTheReference()
    {
        Random seeding = new(11);
        byte[][] seeds = [.. Enumerable.Range(0, 50).Select(_ => RandomMessage(seeding))];
        (int cases, int accepted) = Fuzz.Run(
            11,
            100_000,
            1 << 20,
            random => AssertSame(Mutation.Of(seeds[random.Next(seeds.Length)], random))
        );
        Assert.InRange(accepted, cases / 20, cases - (cases / 20));
    }

    [Fact]
    [Trait("Kind", Fuzz.Kind)]
    public void Decode_RandomBytes_AsTheReference() =>
        Fuzz.Run(
            12,
            50_000,
            1 << 20,
            static random =>
            {
                byte[] bytes = new byte[random.Next(24)];
                random.NextBytes(bytes);
                return AssertSame(bytes);
            }
        );

    private static byte[] RandomMessage(Random random)
    {
        Interaction message = new()
        {
            UserId = Text(random),
            ItemId = Text(random),
            Type = Text(random),
            EventTimeMs = random.NextInt64(long.MinValue, long.MaxValue) >> random.Next(64),
            EventId = Text(random),
        };
        if (random.Next(2) == 0)
        {
            message.Value = random.NextDouble();
        }

        if (random.Next(2) == 0)
        {
            message.DwellMs = random.NextInt64() >> random.Next(64);
        }

        byte[] unknown = random.Next(3) switch
        {
            0 => [0x7B, 0x08, 0x01, 0x7C],
            1 => [0x7A, 0x02, 0x61, 0x62],
            _ => [],
        };
        return [.. message.ToByteArray(), .. unknown];
    }

    private static string Text(Random random) => new([.. Enumerable.Range(0, random.Next(6)).Select(_ => (char)random.Next('a', 'z'))]);

    private static bool AssertSame(byte[] bytes)
    {
        Interaction? expected = null;
        bool isUtf8 = true;
        try
        {
            expected = Interaction.Parser.ParseFrom(bytes);
        }
        catch (InvalidProtocolBufferException) { }

        bool isGood = ProtobufEventDecoder.Decode(bytes, out InteractionEvent decoded) == DeadLetterReason.None;
        if (isGood)
        {
            isUtf8 =
                System.Text.Unicode.Utf8.IsValid(decoded.UserId)
                && System.Text.Unicode.Utf8.IsValid(decoded.ItemId)
                && System.Text.Unicode.Utf8.IsValid(decoded.Type)
                && System.Text.Unicode.Utf8.IsValid(decoded.EventId);
        }

        if (!isUtf8)
        {
            return false; // EventRules rejects it; the reference replaces the bytes.
        }

        Assert.True(isGood == (expected is not null), $"{Convert.ToHexString(bytes)}: ours {isGood}, the reference {expected is not null}");
        if (expected is not null)
        {
            Assert.Equal(expected.UserId, Encoding.UTF8.GetString(decoded.UserId));
            Assert.Equal(expected.ItemId, Encoding.UTF8.GetString(decoded.ItemId));
            Assert.Equal(expected.Type, Encoding.UTF8.GetString(decoded.Type));
            Assert.Equal(expected.EventId, Encoding.UTF8.GetString(decoded.EventId));
            Assert.Equal(expected.EventTimeMs, decoded.EventTime);
            Assert.Equal(expected.HasValue ? expected.Value : null, decoded.Value);
            Assert.Equal(expected.HasDwellMs ? expected.DwellMs : null, decoded.DwellTime);
        }

        return isGood;
    }
}
