using System.Globalization;
using System.Text;
using CsvHelper;
using Streaming.Formats.Inputs;

namespace Streaming.Formats.Delimited;

/// <summary>
/// Rows of delimited text. A row's fields are valid until the next row is read; nothing is allocated per row. Text after a closing
/// quote, or a quote that is never closed, makes a row invalid: its end is a guess.
/// </summary>
public sealed class DelimitedReader : IDisposable
{
    /// <summary>Maximum row length in bytes: a quote that is never closed must not swallow the file.</summary>
    public const int LongestRow = 1 << 20;

    private readonly CsvReader _rows;

    /// <summary>Creates a reader that owns <paramref name="stream"/>.</summary>
    public DelimitedReader(Stream stream, Dialect dialect)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(dialect);
        bool isLong = dialect.Separator.Length > 1;
        _rows = CsvReader.Create(
            isLong ? new SeparatorStream(stream, Encoding.UTF8.GetBytes(dialect.Separator)) : stream,
            new CsvReaderOptions
            {
                Separator = isLong ? SeparatorStream.Replacement : dialect.Separator[0],
                HasHeader = false,
                DetectSeparatorHint = false,
                Mode = dialect.Quote is null ? CsvMode.NoEscape : CsvMode.Rfc4180,
                Quote = dialect.Quote ?? '"',
                TrimWhitespace = true,
                TrackLineNumbers = true,
                MaxRecordSize = LongestRow,
                MalformedData = CsvMalformedDataHandling.Recover,
                OnMalformedRecord = Note,
                FormatProvider = CultureInfo.InvariantCulture,
            }
        );
        for (int line = 0; line < dialect.SkipLines; line++)
        {
            Read();
        }
    }

    /// <summary>Opens a file with a header, compressed or not; the header determines the separator.</summary>
    /// <exception cref="InputFileException">The file cannot be opened.</exception>
    public static DelimitedReader OpenFile(string path)
    {
        PeekStream file = InputFile.Open(path);
        return new DelimitedReader(file, DialectDetector.Detect(file.Head, null, null, null));
    }

    /// <summary>Gets the line, from 1, on which the current row starts.</summary>
    public long Line { get; private set; }

    /// <summary>Gets the number of lines of the current row.</summary>
    public long Lines { get; private set; }

    /// <summary>Gets what is wrong with the current row's quotes, or null.</summary>
    public string? Problem { get; private set; }

    /// <summary>Gets the number of fields of the current row.</summary>
    public int Count { get; private set; }

    /// <summary>Field of the current row as UTF-8, without its quotes; empty if absent.</summary>
    public ReadOnlySpan<byte> this[int field] => field < Count ? _rows.GetSpan(field) : [];

    /// <summary>Field of the current row as text.</summary>
    public string Text(int field) => Encoding.UTF8.GetString(this[field]);

    /// <summary>Reads the next row; skips empty lines.</summary>
    /// <returns>False at the end.</returns>
    /// <exception cref="InvalidDataException">A row is longer than <see cref="LongestRow"/>.</exception>
    public bool Read()
    {
        Problem = null;
        Lines = 1;
        try
        {
            if (!_rows.Read())
            {
                Count = 0;
                return false;
            }
        }
        catch (CsvFormatException exception)
        {
            throw new InvalidDataException($"line {Line + Lines}: the row is longer than {LongestRow} bytes (unclosed quote?)", exception);
        }

        Line = _rows.LineNumber;
        Count = _rows.FieldCount;
        return true;
    }

    /// <inheritdoc/>
    public void Dispose() => _rows.Dispose();

    private void Note(CsvMalformedRecord record)
    {
        // A quote inside a field that does not start with one is an ordinary character: 5" pipe.
        if (record.Reason == CsvMalformedReason.StrayQuote)
        {
            return;
        }

        Problem =
            record.Reason == CsvMalformedReason.TextAfterClosingQuote
                ? "text after a closing quote (if quotes have no meaning in this file, use --quote none)"
                : "a quoted field is not closed";
        Lines = 1 + record.RawRecord.AsSpan().Count('\n');
    }
}
