using System.Globalization;
using System.Numerics;
using Parquet;
using Parquet.Data;
using Parquet.Schema;
using Streaming.Formats.Records;

namespace Streaming.Formats.Columnar;

/// <summary>The values of one column in one row group, with a cursor.</summary>
internal abstract class ParquetColumn : IDisposable
{
    private readonly RawColumnData _data;
    private readonly DataField _field;
    private readonly int _entries;
    private int _entry;
    private int _value;

    /// <summary>Creates a column at its first entry.</summary>
    protected ParquetColumn(RawColumnData data, DataField field, int values)
    {
        _data = data;
        _field = field;
        _entries =
            field.MaxDefinitionLevel > 0 ? data.DefinitionLevels.Length
            : field.MaxRepetitionLevel > 0 ? data.RepetitionLevels.Length
            : values;
    }

    /// <summary>Gets whether the current row has another entry, after <see cref="Next"/>.</summary>
    public bool IsInRow => _entry < _entries && _field.MaxRepetitionLevel > 0 && _data.RepetitionLevels[_entry] > 0;

    /// <summary>Gets the definition level of the current entry; if it is below a field's own level, that field is null.</summary>
    public int Definition => _field.MaxDefinitionLevel > 0 ? _data.DefinitionLevels[_entry] : 0;

    private bool HasValue => Definition == _field.MaxDefinitionLevel;

    /// <summary>Reads a column of a row group.</summary>
    /// <param name="group">The row group.</param>
    /// <param name="field">The column.</param>
    /// <param name="plain">For a column of times, the same column as its stored integers, which the library decodes in every
    /// encoding.</param>
    public static async Task<ParquetColumn> ReadAsync(ParquetRowGroupReader group, DataField field, DataField? plain)
    {
        RawColumnData data = await group.ReadRawColumnDataBaseAsync(plain ?? field).ConfigureAwait(false);
        if (field is DateTimeDataField kind && data is RawColumnData<long> or RawColumnData<int>)
        {
            return data is RawColumnData<long> instants
                ? new Column<long>(instants, field, Instant(kind))
                : new Column<int>(
                    (RawColumnData<int>)data,
                    field,
                    static (tree, name, days) => tree.AddTime(name, days * 86_400_000L, isLocal: true)
                );
        }

        return data switch
        {
            RawColumnData<ReadOnlyMemory<char>> text => new Column<ReadOnlyMemory<char>>(
                text,
                field,
                static (tree, name, value) => tree.AddText(name, value.Span)
            ),
            RawColumnData<ReadOnlyMemory<byte>> bytes => new Column<ReadOnlyMemory<byte>>(
                bytes,
                field,
                static (tree, name, value) => tree.Add(name, ValueKind.Text, tree.Append(value.Span))
            ),
            RawColumnData<DateTime> time => new Column<DateTime>(time, field, Time(field)),
            RawColumnData<long> number => new Column<long>(number, field, static (tree, name, value) => tree.AddNumber(name, value)),
            RawColumnData<int> number => new Column<int>(number, field, static (tree, name, value) => tree.AddNumber(name, value)),
            RawColumnData<uint> number => new Column<uint>(number, field, static (tree, name, value) => tree.AddNumber(name, value)),
            RawColumnData<short> number => new Column<short>(number, field, static (tree, name, value) => tree.AddNumber(name, value)),
            RawColumnData<ushort> number => new Column<ushort>(number, field, static (tree, name, value) => tree.AddNumber(name, value)),
            RawColumnData<byte> number => new Column<byte>(number, field, static (tree, name, value) => tree.AddNumber(name, value)),
            RawColumnData<sbyte> number => new Column<sbyte>(number, field, static (tree, name, value) => tree.AddNumber(name, value)),
            RawColumnData<ulong> number => new Column<ulong>(number, field, static (tree, name, value) => AddFormatted(tree, name, value)),
            RawColumnData<double> number => new Column<double>(number, field, static (tree, name, value) => tree.AddNumber(name, value)),
            RawColumnData<float> number => new Column<float>(number, field, static (tree, name, value) => AddFormatted(tree, name, value)),
            RawColumnData<decimal> number => new Column<decimal>(
                number,
                field,
                static (tree, name, value) => AddFormatted(tree, name, value)
            ),
            RawColumnData<BigInteger> number => new Column<BigInteger>(
                number,
                field,
                static (tree, name, value) => AddFormatted(tree, name, value)
            ),
            RawColumnData<bool> flag => new Column<bool>(flag, field, static (tree, name, value) => tree.AddBoolean(name, value)),
            RawColumnData<Guid> id => new Column<Guid>(id, field, static (tree, name, value) => tree.AddText(name, value.ToString())),
            RawColumnData<DateOnly> day => new Column<DateOnly>(
                day,
                field,
                static (tree, name, value) =>
                    tree.AddTime(name, (long)(value.ToDateTime(TimeOnly.MinValue) - DateTime.UnixEpoch).TotalMilliseconds, isLocal: true)
            ),
            _ => throw new InvalidDataException($"column {field.Path} has the type {field.ClrType.Name}, which cannot be mapped"),
        };
    }

    /// <summary>Adds the current entry's value, or null.</summary>
    public void Add(RecordTree tree, TextRange name)
    {
        if (HasValue)
        {
            AddValue(tree, name, _value);
        }
        else
        {
            tree.AddNull(name);
        }
    }

    /// <summary>Advances to the next entry.</summary>
    public void Next()
    {
        _value += HasValue ? 1 : 0;
        _entry++;
    }

    /// <inheritdoc/>
    public void Dispose() => _data.Dispose();

    /// <summary>Adds a value by its index among the non-null ones.</summary>
    protected abstract void AddValue(RecordTree tree, TextRange name, int value);

    // Impala and Spark write INT96 in UTC; the other types declare it.
    private static bool IsLocal(DataField field) =>
        field
            is DateTimeDataField { IsAdjustedToUTC: false, DateTimeFormat: not DateTimeFormat.Impala }
                or DateTimeDataField { DateTimeFormat: DateTimeFormat.Date };

    private static Action<RecordTree, TextRange, DateTime> Time(DataField field)
    {
        bool isLocal = IsLocal(field);
        return (tree, name, value) => tree.AddTime(name, (value.Ticks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMillisecond, isLocal);
    }

    private static Action<RecordTree, TextRange, long> Instant(DateTimeDataField field)
    {
        bool isLocal = IsLocal(field);
        long perMillisecond = field switch
        {
            { DateTimeFormat: DateTimeFormat.DateAndTimeMicros } or { Unit: DateTimeTimeUnit.Micros } => 1_000,
            { Unit: DateTimeTimeUnit.Nanos } => 1_000_000,
            _ => 1,
        };
        return (tree, name, value) =>
            tree.AddTime(name, (value - (((value % perMillisecond) + perMillisecond) % perMillisecond)) / perMillisecond, isLocal);
    }

    private static void AddFormatted<T>(RecordTree tree, TextRange name, T value)
        where T : IFormattable =>
        tree.Add(name, ValueKind.Number, tree.Append(value.ToString(null, CultureInfo.InvariantCulture).AsSpan()));

    private sealed class Column<T>(RawColumnData<T> data, DataField field, Action<RecordTree, TextRange, T> add)
        : ParquetColumn(data, field, data.Values.Length)
        where T : struct
    {
        protected override void AddValue(RecordTree tree, TextRange name, int value) => add(tree, name, data.Values[value]);
    }
}
