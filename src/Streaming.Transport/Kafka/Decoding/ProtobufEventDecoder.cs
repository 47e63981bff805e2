using System.Text.Unicode;
using Streaming.Core.Events;
using Streaming.Formats.Protobuf;

namespace Streaming.Transport.Kafka.Decoding;

/// <summary>Decodes <c>interaction.proto</c> without an allocation: strings stay views into the record.</summary>
internal static class ProtobufEventDecoder
{
    private const int UserId = (1 << 3) | ProtobufReader.LengthDelimited;
    private const int ItemId = (2 << 3) | ProtobufReader.LengthDelimited;
    private const int Type = (3 << 3) | ProtobufReader.LengthDelimited;
    private const int EventTime = (4 << 3) | ProtobufReader.Varint;
    private const int EventId = (5 << 3) | ProtobufReader.LengthDelimited;
    private const int Value = (6 << 3) | ProtobufReader.Fixed64;
    private const int DwellTime = (7 << 3) | ProtobufReader.Varint;

    /// <summary>Decodes a message. Of a field given twice the last counts; fields that are not known are skipped.</summary>
    public static DeadLetterReason Decode(ReadOnlySpan<byte> message, out InteractionEvent decoded)
    {
        ProtobufReader reader = new(message);
        ReadOnlySpan<byte> user = default;
        ReadOnlySpan<byte> item = default;
        ReadOnlySpan<byte> type = default;
        ReadOnlySpan<byte> eventId = default;
        ulong time = 0;
        double? value = null;
        long? dwell = null;
        bool isGood = true;
        while (isGood && !reader.IsAtEnd)
        {
            isGood = reader.TryReadTag(out int field, out int wireType);
            if (!isGood)
            {
                break;
            }

            // A known field with another wire type is a field that is not known.
            switch ((field << 3) | wireType)
            {
                case UserId:
                    isGood = TryReadText(ref reader, ref user);
                    break;
                case ItemId:
                    isGood = TryReadText(ref reader, ref item);
                    break;
                case Type:
                    isGood = TryReadText(ref reader, ref type);
                    break;
                case EventTime:
                    isGood = reader.TryReadVarint(out time);
                    break;
                case EventId:
                    isGood = TryReadText(ref reader, ref eventId);
                    break;
                case Value:
                    isGood = reader.TryReadDouble(out double number);
                    value = number;
                    break;
                case DwellTime:
                    isGood = reader.TryReadVarint(out ulong milliseconds);
                    dwell = (long)milliseconds;
                    break;
                default:
                    isGood = reader.TrySkip(field, wireType);
                    break;
            }
        }

        decoded = new InteractionEvent
        {
            UserId = user,
            ItemId = item,
            Type = type,
            EventId = eventId,
            EventTime = (long)time,
            Value = value,
            DwellTime = dwell,
        };
        return isGood ? DeadLetterReason.None : DeadLetterReason.Malformed;
    }

    // Text that a later one replaces must be UTF-8 too; the last one is checked with the event.
    private static bool TryReadText(ref ProtobufReader reader, ref ReadOnlySpan<byte> text) =>
        Utf8.IsValid(text) && reader.TryReadBytes(out text);
}
