using System.Collections;
using System.Globalization;
using Avro;
using Avro.Generic;
using Streaming.Formats.Records;

namespace Streaming.Formats.AvroFiles;

/// <summary>Copies a value read by the Avro library into a tree.</summary>
public static class AvroTree
{
    /// <summary>Copies a record into a tree.</summary>
    public static void Write(GenericRecord value, RecordTree record)
    {
        ArgumentNullException.ThrowIfNull(value);
        ArgumentNullException.ThrowIfNull(record);
        record.Clear();
        AddRecord(record, default, value);
    }

    private static void AddRecord(RecordTree tree, TextRange name, GenericRecord value)
    {
        tree.StartObject(name);
        foreach (Field field in value.Schema.Fields)
        {
            Add(tree, tree.Append(field.Name), value.GetValue(field.Pos), field.Schema);
        }

        tree.End();
    }

    private static void Add(RecordTree tree, TextRange name, object? value, Schema schema)
    {
        switch (value)
        {
            case null:
                tree.AddNull(name);
                break;
            case GenericRecord inner:
                AddRecord(tree, name, inner);
                break;
            case string text:
                tree.AddText(name, text);
                break;
            case bool flag:
                tree.AddBoolean(name, flag);
                break;
            case int number:
                tree.AddNumber(name, number);
                break;
            case long number when IsNanoseconds(schema):
                // Which the library does not know.
                tree.AddTime(name, Math.DivRem(number, 1_000_000, out long rest) - (rest < 0 ? 1 : 0), IsLocal(schema));
                break;
            case long number:
                tree.AddNumber(name, number);
                break;
            case double number:
                tree.AddNumber(name, number);
                break;
            case DateTime time:
                tree.AddTime(name, (time.Ticks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMillisecond, IsLocal(schema));
                break;
            case GenericEnum choice:
                tree.AddText(name, choice.Value);
                break;
            case byte[] bytes:
                tree.Add(name, ValueKind.Text, tree.Append(bytes));
                break;
            case GenericFixed bytes:
                tree.Add(name, ValueKind.Text, tree.Append(bytes.Value));
                break;
            case IDictionary<string, object> map:
                AddMap(tree, name, map, schema);
                break;
            case IEnumerable list:
                AddList(tree, name, list, schema);
                break;
            case IFormattable number:
                // Floats, uuids, times of day.
                tree.AddText(name, number.ToString(null, CultureInfo.InvariantCulture));
                break;
            default:
                // Decimals: Convert.ToString never returns for the library's type.
                tree.AddText(name, value.ToString());
                break;
        }
    }

    private static void AddMap(RecordTree tree, TextRange name, IDictionary<string, object> map, Schema schema)
    {
        tree.StartObject(name);
        foreach ((string key, object value) in map)
        {
            Add(tree, tree.Append(key), value, schema);
        }

        tree.End();
    }

    private static void AddList(RecordTree tree, TextRange name, IEnumerable list, Schema schema)
    {
        tree.StartList(name);
        foreach (object? element in list)
        {
            Add(tree, default, element, schema);
        }

        tree.End();
    }

    private static bool IsNanoseconds(Schema schema) =>
        schema switch
        {
            LogicalSchema logical => logical.LogicalTypeName.EndsWith("timestamp-nanos", StringComparison.Ordinal),
            UnionSchema union => union.Schemas.Any(IsNanoseconds),
            _ => false,
        };

    // A union with null contains the type with the logical type.
    private static bool IsLocal(Schema schema) =>
        schema switch
        {
            LogicalSchema logical => logical.LogicalTypeName.StartsWith("local-", StringComparison.Ordinal)
                || logical.LogicalTypeName == "date",
            UnionSchema union => union.Schemas.Any(IsLocal),
            _ => false,
        };
}
