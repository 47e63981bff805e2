using System.Globalization;
using Streaming.Formats.Records;
using Type = Google.Protobuf.Reflection.FieldDescriptorProto.Type;

namespace Streaming.Formats.Protobuf;

/// <summary>
/// Puts a message into a tree. Fields come on the wire in any order and lists in pieces, so that each message's are sorted first;
/// nothing is allocated once the buffers have grown.
/// </summary>
/// <remarks>A number or text of proto3 that is not on the wire is left out: nobody can tell whether it was set. Truth values and enums
/// are then false and the first name. Groups of proto2 are left out.</remarks>
internal sealed class ProtobufTree
{
    private const int MostValues = 1 << 20;
    private ProtobufPart[] _parts = new ProtobufPart[64];
    private int _count;
    private int _values;

    /// <summary>Reads a message.</summary>
    /// <returns>False when it is none.</returns>
    /// <exception cref="InvalidDataException">It is nested too deeply, or holds too much.</exception>
    public bool TryRead(ReadOnlySpan<byte> bytes, ProtobufMessage type, RecordTree record)
    {
        _count = 0;
        _values = 0;
        return TryAddMessage(bytes, new ProtobufPart(0, 0, ProtobufReader.LengthDelimited, 0, 0, bytes.Length), type, record, default);
    }

    private bool TryAddMessage(ReadOnlySpan<byte> bytes, ProtobufPart at, ProtobufMessage type, RecordTree record, TextRange name)
    {
        int first = _count;
        if (!TryCollect(bytes, at, type))
        {
            return false;
        }

        int end = _count;
        bool isGood =
            type.Name == WellKnownTypes.Timestamp ? AddTimestamp(first, end, record, name)
            : WellKnownTypes.IsWrapper(type) ? TryAddWrapped(bytes, first, end, type.Fields[0], record, name)
            : TryAddFields(bytes, first, end, type, record, name);
        _count = first;
        return isGood;
    }

    private bool TryAddFields(ReadOnlySpan<byte> bytes, int first, int end, ProtobufMessage type, RecordTree record, TextRange name)
    {
        record.StartObject(name);
        bool isGood = true;
        foreach (ProtobufField field in type.Fields)
        {
            int next = first;
            while (next < end && _parts[next].Field == field.Index)
            {
                next++;
            }

            isGood &= TryAddField(bytes, first, next, field, record);
            first = next;
        }

        record.End();
        return isGood;
    }

    private bool TryAddField(ReadOnlySpan<byte> bytes, int first, int end, ProtobufField field, RecordTree record)
    {
        if (first == end)
        {
            if (field.IsImplicit && field.Type is Type.TypeBool or Type.TypeEnum)
            {
                AddDefault(field, record, record.Append(field.Name));
            }

            return true;
        }

        TextRange name = record.Append(field.Name);
        return !field.IsRepeated ? TryAdd(bytes, _parts[end - 1], field, record, name)
            : field.Message is { IsMapEntry: true } entry ? TryAddMap(bytes, first, end, entry, record, name)
            : TryAddList(bytes, first, end, field, record, name);
    }

    private bool TryAddList(ReadOnlySpan<byte> bytes, int first, int end, ProtobufField field, RecordTree record, TextRange name)
    {
        record.StartList(name);
        bool isGood = true;
        for (int i = first; i < end && isGood; i++)
        {
            ProtobufPart part = _parts[i];
            isGood =
                part.WireType == ProtobufReader.LengthDelimited && WireTypeOf(field.Type) != ProtobufReader.LengthDelimited
                    ? TryAddPacked(bytes.Slice(part.Start, part.Length), field, record)
                    : TryAdd(bytes, part, field, record, default);
        }

        record.End();
        return isGood;
    }

    private bool TryAddPacked(ReadOnlySpan<byte> packed, ProtobufField field, RecordTree record)
    {
        var reader = new ProtobufReader(packed);
        while (!reader.IsAtEnd)
        {
            if (!TryReadNumber(ref reader, WireTypeOf(field.Type), out ulong raw))
            {
                return false;
            }

            AddNumber(field, raw, record, default);
        }

        return true;
    }

    private bool TryAddMap(ReadOnlySpan<byte> bytes, int first, int end, ProtobufMessage entry, RecordTree record, TextRange name)
    {
        record.StartObject(name);
        bool isGood = true;
        for (int i = first; i < end && isGood; i++)
        {
            int start = _count;
            isGood = TryCollect(bytes, _parts[i], entry) && TryAddEntry(bytes, start, _count, entry, record);
            _count = start;
        }

        record.End();
        return isGood;
    }

    private bool TryAddEntry(ReadOnlySpan<byte> bytes, int first, int end, ProtobufMessage entry, RecordTree record)
    {
        ProtobufPart? key = null;
        ProtobufPart? value = null;
        ProtobufField? held = entry.Find(2);
        if (entry.Find(1) is not { } named || held is null)
        {
            return false;
        }

        for (int i = first; i < end; i++)
        {
            key = _parts[i].Field == named.Index ? _parts[i] : key;
            value = _parts[i].Field == held.Index ? _parts[i] : value;
        }

        TextRange name =
            key is not { } part ? record.Append(named.Type == Type.TypeString ? ""u8 : "0"u8)
            : part.WireType == ProtobufReader.LengthDelimited ? record.Append(bytes.Slice(part.Start, part.Length))
            : AppendNumber(named, part.Raw, record);
        if (value is { } found)
        {
            return TryAdd(bytes, found, held, record, name);
        }

        AddDefault(held, record, name);
        return true;
    }

    private bool TryAddWrapped(ReadOnlySpan<byte> bytes, int first, int end, ProtobufField field, RecordTree record, TextRange name)
    {
        if (first < end)
        {
            return TryAdd(bytes, _parts[end - 1], field, record, name);
        }

        AddDefault(field, record, name);
        return true;
    }

    private bool AddTimestamp(int first, int end, RecordTree record, TextRange name)
    {
        long seconds = 0;
        int nanoseconds = 0;
        for (int i = first; i < end; i++)
        {
            if (_parts[i].Field == 0)
            {
                seconds = (long)_parts[i].Raw;
            }
            else
            {
                nanoseconds = (int)_parts[i].Raw;
            }
        }

        // Beyond the years 1 to 9999 it is no time by its own definition.
        if (seconds is < -62_135_596_800 or > 253_402_300_799 || nanoseconds is < 0 or > 999_999_999)
        {
            return false;
        }

        record.AddTime(name, (seconds * 1000) + (nanoseconds / 1_000_000), isLocal: false);
        return true;
    }

    private bool TryAdd(ReadOnlySpan<byte> bytes, ProtobufPart part, ProtobufField field, RecordTree record, TextRange name)
    {
        if (field.Message is { } message)
        {
            Count();
            return TryAddMessage(bytes, part, message, record, name);
        }

        if (part.WireType == ProtobufReader.LengthDelimited)
        {
            Count();
            record.Add(name, ValueKind.Text, record.Append(bytes.Slice(part.Start, part.Length)));
            return true;
        }

        AddNumber(field, part.Raw, record, name);
        return true;
    }

    private void AddNumber(ProtobufField field, ulong raw, RecordTree record, TextRange name)
    {
        Count();
        switch (field.Type)
        {
            case Type.TypeBool:
                record.AddBoolean(name, raw != 0);
                break;
            case Type.TypeDouble:
                record.AddNumber(name, BitConverter.UInt64BitsToDouble(raw));
                break;
            case Type.TypeFloat when !float.IsFinite(BitConverter.UInt32BitsToSingle((uint)raw)):
                record.AddNull(name);
                break;
            case Type.TypeEnum when field.Choices!.TryGetValue((int)raw, out byte[]? choice):
                record.Add(name, ValueKind.Text, record.Append(choice));
                break;
            default:
                record.Add(name, ValueKind.Number, AppendNumber(field, raw, record));
                break;
        }
    }

    private static TextRange AppendNumber(ProtobufField field, ulong raw, RecordTree record)
    {
        Span<byte> room = record.Reserve(32);
        int length;
        _ = field.Type switch
        {
            Type.TypeFloat => BitConverter.UInt32BitsToSingle((uint)raw).TryFormat(room, out length, "R", CultureInfo.InvariantCulture),
            Type.TypeUint64 or Type.TypeFixed64 => raw.TryFormat(room, out length, default, CultureInfo.InvariantCulture),
            Type.TypeUint32 or Type.TypeFixed32 => ((uint)raw).TryFormat(room, out length, default, CultureInfo.InvariantCulture),
            Type.TypeSint32 or Type.TypeSint64 => ((long)(raw >> 1) ^ -(long)(raw & 1)).TryFormat(
                room,
                out length,
                default,
                CultureInfo.InvariantCulture
            ),
            Type.TypeInt32 or Type.TypeSfixed32 or Type.TypeEnum => ((int)raw).TryFormat(
                room,
                out length,
                default,
                CultureInfo.InvariantCulture
            ),
            _ => ((long)raw).TryFormat(room, out length, default, CultureInfo.InvariantCulture),
        };
        return record.Take(length);
    }

    private void AddDefault(ProtobufField field, RecordTree record, TextRange name)
    {
        if (field.Message is not null)
        {
            record.StartObject(name);
            record.End();
        }
        else if (field.Type is Type.TypeString or Type.TypeBytes)
        {
            record.Add(name, ValueKind.Text, record.Append(""u8));
        }
        else
        {
            AddNumber(field, 0, record, name);
        }
    }

    private bool TryCollect(ReadOnlySpan<byte> bytes, ProtobufPart at, ProtobufMessage type)
    {
        int first = _count;
        var reader = new ProtobufReader(bytes.Slice(at.Start, at.Length));
        while (!reader.IsAtEnd)
        {
            if (!reader.TryReadTag(out int number, out int wireType))
            {
                return false;
            }

            // A known field with another wire type is a field that is not known.
            ProtobufField? field = type.Find(number);
            bool isKnown =
                field is not null
                && (wireType == WireTypeOf(field.Type) || (field.IsRepeated && wireType == ProtobufReader.LengthDelimited));
            if (!isKnown)
            {
                if (!reader.TrySkip(number, wireType))
                {
                    return false;
                }
            }
            else if (wireType == ProtobufReader.LengthDelimited)
            {
                if (!reader.TryReadBytes(out ReadOnlySpan<byte> held))
                {
                    return false;
                }

                Push(
                    new ProtobufPart(
                        field!.Index,
                        _count,
                        wireType,
                        0,
                        at.Start + at.Length - reader.Rest.Length - held.Length,
                        held.Length
                    )
                );
            }
            else if (TryReadNumber(ref reader, wireType, out ulong raw))
            {
                Push(new ProtobufPart(field!.Index, _count, wireType, raw, 0, 0));
            }
            else
            {
                return false;
            }
        }

        _parts.AsSpan(first, _count - first).Sort();
        return true;
    }

    private static bool TryReadNumber(ref ProtobufReader reader, int wireType, out ulong raw)
    {
        switch (wireType)
        {
            case ProtobufReader.Varint:
                return reader.TryReadVarint(out raw);
            case ProtobufReader.Fixed64:
                return reader.TryReadFixed64(out raw);
            default:
                bool isRead = reader.TryReadFixed32(out uint bits);
                raw = bits;
                return isRead;
        }
    }

    private static int WireTypeOf(Type type) =>
        type switch
        {
            Type.TypeDouble or Type.TypeFixed64 or Type.TypeSfixed64 => ProtobufReader.Fixed64,
            Type.TypeFloat or Type.TypeFixed32 or Type.TypeSfixed32 => ProtobufReader.Fixed32,
            Type.TypeString or Type.TypeBytes or Type.TypeMessage => ProtobufReader.LengthDelimited,
            Type.TypeGroup => -1,
            _ => ProtobufReader.Varint,
        };

    private void Push(ProtobufPart part)
    {
        if (_count == _parts.Length)
        {
            Array.Resize(ref _parts, _count * 2);
        }

        _parts[_count++] = part;
    }

    private void Count()
    {
        if (++_values > MostValues)
        {
            throw new InvalidDataException("the message holds too many values");
        }
    }
}
