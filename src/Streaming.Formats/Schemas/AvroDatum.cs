using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using Avro;
using Streaming.Formats.Records;

namespace Streaming.Formats.Schemas;

/// <summary>
/// Reads one value of Avro's binary encoding (Avro 1.12, "Binary encoding") into a tree. Lengths and counts come from the network:
/// nothing is allocated for them before the bytes are there.
/// </summary>
internal ref struct AvroDatum(ReadOnlySpan<byte> value, RecordTree record)
{
    /// <summary>Most values in a record: elements may have no bytes at all.</summary>
    private const int MostValues = 1 << 20;

    private ReadOnlySpan<byte> _rest = value;
    private int _values;

    /// <summary>Reads the value.</summary>
    /// <returns>False when bytes are left.</returns>
    /// <exception cref="InvalidDataException">It was not written by this schema.</exception>
    public bool Read(Schema schema)
    {
        Add(default, schema);
        return _rest.IsEmpty;
    }

    private void Add(TextRange name, Schema schema)
    {
        if (++_values > MostValues)
        {
            throw Wrong("too many values");
        }

        switch (schema)
        {
            case LogicalSchema logical:
                AddLogical(name, logical);
                break;
            case UnionSchema union:
                long branch = ReadLong();
                Add(name, branch >= 0 && branch < union.Count ? union[(int)branch] : throw Wrong("no such branch of a union"));
                break;
            case Avro.RecordSchema fields:
                record.StartObject(name);
                foreach (Field field in fields.Fields)
                {
                    Add(record.Append(field.Name), field.Schema);
                }

                record.End();
                break;
            case EnumSchema choice:
                long symbol = ReadLong();
                record.AddText(name, symbol >= 0 && symbol < choice.Count ? choice[(int)symbol] : throw Wrong("no such symbol of an enum"));
                break;
            case FixedSchema bytes:
                record.Add(name, ValueKind.Text, record.Append(Take(bytes.Size)));
                break;
            case ArraySchema list:
                record.StartList(name);
                AddBlocks(list.ItemSchema, isMap: false);
                record.End();
                break;
            case MapSchema map:
                record.StartObject(name);
                AddBlocks(map.ValueSchema, isMap: true);
                record.End();
                break;
            default:
                AddPrimitive(name, schema.Tag);
                break;
        }
    }

    private void AddPrimitive(TextRange name, Schema.Type type)
    {
        switch (type)
        {
            case Schema.Type.Null:
                record.AddNull(name);
                break;
            case Schema.Type.Boolean:
                record.AddBoolean(name, Take(1)[0] != 0);
                break;
            case Schema.Type.Int or Schema.Type.Long:
                record.AddNumber(name, ReadLong());
                break;
            case Schema.Type.Float:
                float single = BinaryPrimitives.ReadSingleLittleEndian(Take(sizeof(float)));
                AddSingle(name, single);
                break;
            case Schema.Type.Double:
                record.AddNumber(name, BinaryPrimitives.ReadDoubleLittleEndian(Take(sizeof(double))));
                break;
            case Schema.Type.Bytes or Schema.Type.String:
                record.Add(name, ValueKind.Text, record.Append(TakeCounted()));
                break;
            default:
                throw Wrong($"type {type}");
        }
    }

    // As it was written: 0.1f is 0.1, not 0.10000000149.
    private readonly void AddSingle(TextRange name, float number)
    {
        if (!float.IsFinite(number))
        {
            record.AddNull(name);
            return;
        }

        Span<byte> room = record.Reserve(32);
        number.TryFormat(room, out int length, "R", CultureInfo.InvariantCulture);
        record.Add(name, ValueKind.Number, record.Take(length));
    }

    private void AddLogical(TextRange name, LogicalSchema logical)
    {
        switch (logical.LogicalTypeName)
        {
            case "timestamp-millis" or "local-timestamp-millis":
                AddTime(name, logical, ReadLong());
                break;
            case "timestamp-micros" or "local-timestamp-micros":
                AddTime(name, logical, FloorDivide(ReadLong(), 1_000));
                break;
            case "timestamp-nanos" or "local-timestamp-nanos":
                AddTime(name, logical, FloorDivide(ReadLong(), 1_000_000));
                break;
            case "date":
                record.AddTime(name, checked(ReadInt() * 86_400_000L), isLocal: true);
                break;
            case "decimal":
                AddDecimal(name, logical);
                break;
            case "uuid" when logical.BaseSchema is FixedSchema { Size: 16 }:
                record.AddText(name, new Guid(Take(16), bigEndian: true).ToString());
                break;
            default:
                Add(name, logical.BaseSchema);
                break;
        }
    }

    private readonly void AddTime(TextRange name, LogicalSchema logical, long milliseconds) =>
        record.AddTime(name, milliseconds, isLocal: logical.LogicalTypeName.StartsWith("local-", StringComparison.Ordinal));

    private void AddDecimal(TextRange name, LogicalSchema logical)
    {
        ReadOnlySpan<byte> bytes = logical.BaseSchema is FixedSchema known ? Take(known.Size) : TakeCounted();
        if (
            bytes.Length > 64
            || !int.TryParse(logical.GetProperty("scale") ?? "0", NumberStyles.None, CultureInfo.InvariantCulture, out int scale)
            || scale > 64
        )
        {
            throw Wrong("a decimal of more than 64 bytes or places");
        }

        var unscaled = new BigInteger(bytes, isUnsigned: false, isBigEndian: true);
        string digits = BigInteger.Abs(unscaled).ToString(CultureInfo.InvariantCulture).PadLeft(scale + 1, '0');
        string text = (unscaled.Sign < 0 ? "-" : string.Empty) + digits[..^scale] + (scale > 0 ? "." + digits[^scale..] : string.Empty);
        record.Add(name, ValueKind.Number, record.Append(text));
    }

    // Blocks of a count and so many elements; a negative count is followed by the block's bytes. An empty block ends it.
    private void AddBlocks(Schema element, bool isMap)
    {
        for (long count = ReadLong(); count != 0; count = ReadLong())
        {
            if (count < 0)
            {
                ReadLong();
                count = count == long.MinValue ? throw Wrong("the count of a block") : -count;
            }

            for (; count > 0; count--)
            {
                Add(isMap ? record.Append(TakeCounted()) : default, element);
            }
        }
    }

    private int ReadInt() => ReadLong() is >= int.MinValue and <= int.MaxValue and var number ? (int)number : throw Wrong("an int");

    private long ReadLong()
    {
        ulong raw = 0;
        for (int i = 0; i < 10 && i < _rest.Length; i++)
        {
            raw |= (ulong)(_rest[i] & 0x7F) << (7 * i);
            if (_rest[i] < 0x80)
            {
                _rest = _rest[(i + 1)..];
                return (long)(raw >> 1) ^ -(long)(raw & 1);
            }
        }

        throw Wrong("a number");
    }

    private ReadOnlySpan<byte> TakeCounted() => Take(ReadLong());

    private ReadOnlySpan<byte> Take(long count)
    {
        if (count < 0 || count > _rest.Length)
        {
            throw Wrong("a length");
        }

        ReadOnlySpan<byte> taken = _rest[..(int)count];
        _rest = _rest[(int)count..];
        return taken;
    }

    private static long FloorDivide(long number, long by) => (number / by) - (number % by < 0 ? 1 : 0);

    private static InvalidDataException Wrong(string what) => new($"the value was not written by this schema: {what}");
}
