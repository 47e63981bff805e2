using System.Globalization;
using System.Text;
using Streaming.Formats.Mapping;
using Streaming.Formats.Records;

namespace Streaming.Formats.Delimited;

/// <summary>Rows of delimited text as flat records of the requested columns.</summary>
internal sealed class DelimitedRecords : RecordReader
{
    private readonly DelimitedReader _rows;
    private readonly List<(int Field, byte[] Name)> _columns = [];
    private readonly bool _hasHeader;
    private int _width;
    private bool _isFirst = true;

    /// <summary>Creates a reader and reads the header, if any.</summary>
    /// <param name="rows">The rows, owned by this.</param>
    /// <param name="fields">The mapped columns, flat; null: there is no mapping.</param>
    /// <exception cref="InvalidDataException">A column of the mapping, or one that every event needs, is not in the header.</exception>
    public DelimitedRecords(DelimitedReader rows, IReadOnlyList<FieldPath>? fields)
    {
        _rows = rows;
        _hasHeader = !FieldPath.ArePositions(fields);
        if (!_hasHeader)
        {
            _columns.AddRange(
                fields!.Select(static path =>
                    (int.Parse(path.Steps[0].Name, CultureInfo.InvariantCulture), Encoding.UTF8.GetBytes(path.Steps[0].Name))
                )
            );
        }
    }

    /// <summary>Gets the column names; empty without a header.</summary>
    public string[] Header { get; private set; } = [];

    /// <inheritdoc/>
    public override string Position => $"line {_rows.Line}";

    /// <summary>Gets the row, for formats with their own rules.</summary>
    public DelimitedReader Row => _rows;

    /// <summary>Reads the header.</summary>
    /// <param name="fields">The mapped columns, flat; null: there is no mapping.</param>
    /// <param name="others">Columns that are not in the file: those of its folders.</param>
    /// <exception cref="InvalidDataException">A column of the mapping, or one that every event needs, is missing.</exception>
    public void ReadHeader(IReadOnlyList<FieldPath>? fields, IReadOnlyCollection<string> others)
    {
        if (!_hasHeader)
        {
            return;
        }

        if (!_rows.Read())
        {
            throw new InvalidDataException("the file is empty");
        }

        Header = DelimitedHeader.Clean(Enumerable.Range(0, _rows.Count).Select(_rows.Text));
        _width = Header.Length;
        if (fields is not null)
        {
            foreach (string column in fields.Select(static path => path.Column).Where(column => !others.Contains(column)))
            {
                int field = DelimitedHeader.Find(Header, column);
                _columns.Add(
                    field >= 0
                        ? (field, Encoding.UTF8.GetBytes(column))
                        : throw new InvalidDataException(
                            $"line {_rows.Line}: there is no column '{column}'; the file has {string.Join(", ", Header)}"
                        )
                );
            }

            return;
        }

        _columns.AddRange(
            Header
                .Select(static (name, field) => (field, Encoding.UTF8.GetBytes(name)))
                .Where(static column => KnownNames.TryFind(column.Item2, out _, out _))
        );
    }

    /// <inheritdoc/>
    public override bool Read(RecordTree record)
    {
        record.Clear();
        if (!_rows.Read())
        {
            return false;
        }

        if (_isFirst && !_hasHeader)
        {
            _width = _rows.Count;
        }

        _isFirst = false;
        Swallowed = _rows.Lines;
        Problem = _rows.Problem ?? WidthProblem();
        record.StartObject(default);
        foreach ((int field, byte[] name) in _columns)
        {
            TextRange text = record.Append(name);
            ReadOnlySpan<byte> value = _rows[field];
            if (IsNull(value))
            {
                record.AddNull(text);
            }
            else
            {
                record.Add(text, ValueKind.Text, record.Append(value));
            }
        }

        return true;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing) => _rows.Dispose();

    // Null markers of common tools: databases \N, pandas nan and <NA>, Python None.
    private static bool IsNull(ReadOnlySpan<byte> value) =>
        value.Length switch
        {
            0 => true,
            2 => value.SequenceEqual("\\N"u8),
            3 => value.SequenceEqual("NaN"u8) || value.SequenceEqual("nan"u8),
            4 => value.SequenceEqual("NULL"u8)
                || value.SequenceEqual("null"u8)
                || value.SequenceEqual("None"u8)
                || value.SequenceEqual("<NA>"u8),
            _ => false,
        };

    // A separator after the last field is common. Any other number of fields means that the columns are misaligned.
    private string? WidthProblem() =>
        _rows.Count == _width || (_rows.Count == _width + 1 && _rows[_width].IsEmpty) ? null : $"{_rows.Count} fields, {_width} expected";
}
