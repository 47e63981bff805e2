using Parquet.Schema;

namespace Streaming.Formats.Columnar;

/// <summary>
/// Columns of times as their stored integers. The library converts them to dates itself, but not if they are delta-encoded, as
/// DuckDB, Spark and Arrow do in version 2 files.
/// </summary>
internal static class PlainTimes
{
    /// <summary>The integer columns by their paths.</summary>
    /// <param name="schema">The file's schema.</param>
    /// <param name="leaves">The columns to read.</param>
    public static Dictionary<string, DataField> Find(ParquetSchema schema, IReadOnlyCollection<DataField> leaves)
    {
        DataField[] times = [.. leaves.Where(static leaf => Stored(leaf) is not null)];
        Field[] holders = [.. schema.Fields.Where(field => times.Any(time => time.Path.FirstPart == field.Name)).Select(Plain)];
        return holders.Length == 0
            ? []
            : new ParquetSchema(holders)
                .DataFields.Where(field =>
                    times.Any(time =>
                        time.Path.Equals(field.Path)
                        && time.MaxDefinitionLevel == field.MaxDefinitionLevel
                        && time.MaxRepetitionLevel == field.MaxRepetitionLevel
                    )
                )
                .ToDictionary(static field => field.Path.ToString(), StringComparer.Ordinal);
    }

    // INT96 is not an integer type; its values are never delta-encoded.
    private static Type? Stored(Field field) =>
        field switch
        {
            DateTimeDataField { DateTimeFormat: DateTimeFormat.Impala } => null,
            DateTimeDataField { DateTimeFormat: DateTimeFormat.Date } => typeof(int),
            DateTimeDataField => typeof(long),
            _ => null,
        };

    private static Field Plain(Field field) =>
        field switch
        {
            StructField group => new StructField(group.Name, [.. group.Fields.Select(Plain)]),
            ListField list when list.Item.Path.Length > 1 => new ListField(
                list.Name,
                Plain(list.Item),
                list.Item.Path[list.Item.Path.Length - 2]
            ),
            DateTimeDataField time when Stored(time) is { } type => new DataField(time.Name, type, time.IsNullable),
            DataField leaf => new DataField(leaf.Name, leaf.ClrType, leaf.IsNullable, leaf.IsArray),
            _ => field,
        };
}
