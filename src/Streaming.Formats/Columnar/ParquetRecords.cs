using Parquet;
using Parquet.Schema;
using Streaming.Formats.Mapping;
using Streaming.Formats.Records;
using FieldPath = Streaming.Formats.Mapping.FieldPath;

namespace Streaming.Formats.Columnar;

/// <summary>Rows of a Parquet file: the requested columns of one row group in memory at a time.</summary>
internal sealed class ParquetRecords : RecordReader
{
    private readonly ParquetReader _file;
    private readonly List<ParquetNode> _nodes;
    private readonly Dictionary<string, DataField> _plain;
    private readonly List<ParquetColumn> _columns = [];
    private int _nextGroup;
    private long _rowsLeft;
    private long _row;

    /// <summary>Opens a file.</summary>
    /// <param name="stream">The file, seekable; owned by this.</param>
    /// <param name="map">The mapping, or null.</param>
    /// <param name="others">Columns that are not in the file: those of its folders.</param>
    /// <param name="everything">Whether all columns are wanted; otherwise those of the mapping, or those that events have.</param>
    /// <exception cref="InvalidDataException">Not a Parquet file, or a column of the mapping is missing.</exception>
    public ParquetRecords(Stream stream, FieldMap? map, IReadOnlyCollection<string> others, bool everything = false)
    {
        _file = Guard(() => ParquetReader.CreateAsync(stream, leaveStreamOpen: false));
        ParquetSchema schema = _file.Schema;
        Columns = [.. schema.Fields.Select(static field => field.Name)];
        _nodes =
        [
            .. schema
                .Fields.Select(field => new ParquetNode(field, path => everything || IsWanted(map, path)))
                .Where(static node => node.Leaves.Any()),
        ];
        _plain = PlainTimes.Find(schema, [.. _nodes.SelectMany(static node => node.Leaves).Select(static node => node.Leaf!)]);
        foreach (FieldPath path in map?.Fields ?? [])
        {
            if (
                !others.Contains(path.Column)
                && !schema.Fields.Any(field => new ParquetNode(field, candidate => IsSame(path, candidate)).Leaves.Any())
            )
            {
                throw new InvalidDataException(
                    $"there is no column '{path}'; the file has "
                        + $"{string.Join(", ", schema.DataFields.Select(static field => field.Path.ToString().Replace('/', '.')))}"
                );
            }
        }
    }

    /// <summary>Gets the names of the top-level columns.</summary>
    public string[] Columns { get; }

    /// <inheritdoc/>
    public override string Position => $"row {_row}";

    /// <inheritdoc/>
    public override bool Read(RecordTree record)
    {
        record.Clear();
        while (_rowsLeft == 0)
        {
            if (_nextGroup == _file.RowGroupCount)
            {
                return false;
            }

            ReadGroup(_nextGroup++);
        }

        _rowsLeft--;
        _row++;
        record.StartObject(default);
        foreach (ParquetNode node in _nodes)
        {
            node.AddRow(record);
        }

        return true;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        Release();
        _file.DisposeAsync().AsTask().GetAwaiter().GetResult();
    }

    private static bool IsWanted(FieldMap? map, string[] path) =>
        map is null
            ? path.Length == 1 && KnownNames.TryFind(System.Text.Encoding.UTF8.GetBytes(path[0]), out _, out _)
            : map.Fields.Any(wanted => IsSame(wanted, path));

    private static bool IsSame(FieldPath wanted, string[] path) =>
        wanted.Steps.Count == path.Length && wanted.Steps.Zip(path).All(static pair => pair.First.IsNamed(pair.Second));

    // A damaged file can make the library throw almost anything.
    private static T Guard<T>(Func<Task<T>> read)
    {
        try
        {
            return Task.Run(read).GetAwaiter().GetResult();
        }
        catch (Exception exception) when (exception is not (InvalidDataException or OutOfMemoryException))
        {
            throw new InvalidDataException($"the Parquet file cannot be read: {exception.Message}", exception);
        }
    }

    private void ReadGroup(int number)
    {
        Release();
        using ParquetRowGroupReader group = _file.OpenRowGroupReader(number);
        foreach (ParquetNode leaf in _nodes.SelectMany(static node => node.Leaves))
        {
            ParquetColumn column = Guard(() =>
                ParquetColumn.ReadAsync(group, leaf.Leaf!, _plain.GetValueOrDefault(leaf.Leaf!.Path.ToString()))
            );
            _columns.Add(column);
            leaf.Set(column);
        }

        _rowsLeft = group.RowCount;
    }

    private void Release()
    {
        _columns.ForEach(static column => column.Dispose());
        _columns.Clear();
    }
}
