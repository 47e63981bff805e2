namespace Streaming.Worker;

/// <summary>
/// Reads comma-separated rows as RFC 4180 defines them: quoted fields may hold commas, line breaks and doubled quotes.
/// A row's fields are valid until the next row is read; nothing is allocated per row.
/// </summary>
internal sealed class CsvReader : IDisposable
{
    /// <summary>Longest row in characters: a quote that is never closed must not swallow the file.</summary>
    public const int LongestRow = 1 << 20;

    private readonly TextReader _reader;
    private readonly char[] _input = new char[16384];
    private char[] _text = new char[1024];
    private int[] _ends = new int[16];
    private int _inputStart;
    private int _inputEnd;

    /// <summary>Creates a reader that owns <paramref name="reader"/>.</summary>
    public CsvReader(TextReader reader) => _reader = reader;

    /// <summary>Gets the line, from 1, on which the current row began.</summary>
    public long Line { get; private set; }

    /// <summary>Gets the number of fields of the current row.</summary>
    public int Count { get; private set; }

    private long NextLine { get; set; } = 1;

    /// <summary>Field of the current row, without its quotes.</summary>
    public ReadOnlySpan<char> this[int field] =>
        field < Count ? _text.AsSpan(Start(field), _ends[field] - Start(field)) : [];

    /// <summary>Reads the next row; empty lines are passed over.</summary>
    /// <returns>False at the end.</returns>
    /// <exception cref="InvalidDataException">A row is longer than <see cref="LongestRow"/>, or a quote is not closed.</exception>
    public bool Read()
    {
        do
        {
            Line = NextLine;
            if (!ReadRow())
            {
                return false;
            }
        }
        while (Count == 1 && _ends[0] == 0);

        return true;
    }

    /// <inheritdoc/>
    public void Dispose() => _reader.Dispose();

    private bool ReadRow()
    {
        Count = 0;
        int length = 0;
        bool quoted = false;
        bool any = false;
        while (Next() is var code && code >= 0)
        {
            any = true;
            char letter = (char)code;
            if (letter == '\n')
            {
                NextLine++;
            }

            if (quoted)
            {
                if (letter != '"')
                {
                    length = Append(letter, length);
                }
                else if (Peek() == '"')
                {
                    length = Append((char)Next(), length);
                }
                else
                {
                    quoted = false;
                }
            }
            else if (letter == ',')
            {
                End(length);
            }
            else if (letter == '\n')
            {
                End(length);
                return true;
            }
            else if (letter == '"' && length == Start(Count))
            {
                quoted = true;
            }
            else if (letter != '\r' || Peek() != '\n')
            {
                length = Append(letter, length);
            }
        }

        if (quoted)
        {
            throw new InvalidDataException($"line {Line}: a quoted field is not closed");
        }

        if (any)
        {
            End(length);
        }

        return any;
    }

    private int Start(int field) => field == 0 ? 0 : _ends[field - 1];

    private int Append(char letter, int length)
    {
        if (length == _text.Length)
        {
            if (length >= LongestRow)
            {
                throw new InvalidDataException($"line {Line}: the row is longer than {LongestRow} characters (is a quote not closed?)");
            }

            Array.Resize(ref _text, length * 2);
        }

        _text[length] = letter;
        return length + 1;
    }

    private void End(int length)
    {
        if (Count == _ends.Length)
        {
            Array.Resize(ref _ends, Count * 2);
        }

        _ends[Count++] = length;
    }

    private int Next() => Fill() ? _input[_inputStart++] : -1;

    private int Peek() => Fill() ? _input[_inputStart] : -1;

    private bool Fill()
    {
        if (_inputStart == _inputEnd)
        {
            _inputStart = 0;
            _inputEnd = _reader.Read(_input, 0, _input.Length);
        }

        return _inputEnd > 0;
    }
}
