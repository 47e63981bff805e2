using System.Text.Json;
using Streaming.Formats.Records;

namespace Streaming.Formats.Json;

/// <summary>
/// JSON values of a stream: one after another, with or without line breaks, or as the elements of an array of any length. Only one
/// value is in memory at a time.
/// </summary>
public sealed class JsonRecords : RecordReader
{
    /// <summary>Maximum value length in bytes.</summary>
    public const int MaxRecordBytes = 64 << 20;

    private readonly Stream _stream;
    private byte[] _buffer = new byte[64 << 10];
    private int _start;
    private int _end;
    private bool _isAll;
    private bool _isInArray;
    private bool _hasBegun;
    private long _line = 1;
    private long _lineStart;
    private long _dropped;
    private long _recordLine = 1;
    private long _recordColumn = 1;

    /// <summary>Creates a reader that owns <paramref name="stream"/>.</summary>
    public JsonRecords(Stream stream) => _stream = stream;

    /// <inheritdoc/>
    public override string Position => _isInArray ? $"line {_recordLine}, column {_recordColumn}" : $"line {_recordLine}";

    /// <inheritdoc/>
    public override bool Read(RecordTree record)
    {
        ArgumentNullException.ThrowIfNull(record);
        Problem = null;
        if (!_hasBegun)
        {
            Begin();
        }

        if (!SkipToRecord())
        {
            return false;
        }

        _recordLine = _line;
        _recordColumn = _dropped + _start - _lineStart + 1;
        while (true)
        {
            try
            {
                if (JsonTree.TryReadFirst(_buffer.AsSpan(_start, _end - _start), _isAll, record, out int consumed))
                {
                    Advance(consumed);
                    if (_isInArray)
                    {
                        EndElement();
                    }

                    return true;
                }
            }
            catch (Exception exception) when (exception is JsonException or InvalidOperationException or InvalidDataException)
            {
                if (_isInArray)
                {
                    // The start of the next element is unknown.
                    throw new InvalidDataException($"{Position}: {Reason(exception)}", exception);
                }

                Problem = Reason(exception);
                SkipLine();
                return true;
            }

            if (!Fill())
            {
                throw new InvalidDataException($"{Position}: the file ends within a JSON value");
            }
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing) => _stream.Dispose();

    private static string Reason(Exception exception)
    {
        // "… Path: $ | LineNumber: 0 | BytePositionInLine: 5." counts from the value, not from the file.
        string message = exception.Message;
        int details = message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        return "not JSON: " + (details < 0 ? message : message[..details].TrimEnd());
    }

    // An array of records, or records that are arrays: the first element decides.
    private void Begin()
    {
        _hasBegun = true;
        while (_end - _start < 3 && Fill()) { }

        if (_buffer.AsSpan(_start, _end - _start).StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF]))
        {
            _start += 3;
        }

        SkipSpace();
        if (Peek() != '[')
        {
            return;
        }

        int length = 1;
        while (_start + length == _end ? Fill() : IsSpace(_buffer[_start + length]))
        {
            // Scan the buffered bytes first.
            length += _start + length < _end && IsSpace(_buffer[_start + length]) ? 1 : 0;
        }

        _isInArray = _start + length < _end && _buffer[_start + length] is (byte)'{' or (byte)'[' or (byte)']';
        if (_isInArray)
        {
            Advance(1);
        }
    }

    private bool SkipToRecord()
    {
        SkipSpace();
        if (!_isInArray)
        {
            return Peek() >= 0;
        }

        while (Peek() == ']')
        {
            // After an array only another array may follow.
            Advance(1);
            SkipSpace();
            if (Peek() < 0)
            {
                return false;
            }

            if (Peek() != '[')
            {
                throw new InvalidDataException($"line {_line}: '{(char)Peek()}' after the end of the array");
            }

            Advance(1);
            SkipSpace();
        }

        return Peek() >= 0 ? true : throw new InvalidDataException($"line {_line}: the file ends within the array; is it truncated?");
    }

    private void EndElement()
    {
        SkipSpace();
        if (Peek() == ',')
        {
            Advance(1);
        }
        else if (Peek() is not (']' or < 0))
        {
            throw new InvalidDataException(
                $"line {_line}, column {_dropped + _start - _lineStart + 1}: '{(char)Peek()}' between two elements of the array; "
                    + "allowed: a comma"
            );
        }
    }

    // White space, and the separator of JSON text sequences (RFC 7464).
    private void SkipSpace()
    {
        while (Peek() is >= 0 and var next && (IsSpace((byte)next) || next == 0x1e))
        {
            Advance(1);
        }
    }

    private static bool IsSpace(byte letter) => letter is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n';

    private void SkipLine()
    {
        while (Peek() is >= 0 and not '\n')
        {
            int end = _buffer.AsSpan(_start, _end - _start).IndexOf((byte)'\n');
            Advance(end < 0 ? _end - _start : end);
        }
    }

    private int Peek()
    {
        while (_start == _end)
        {
            if (!Fill())
            {
                return -1;
            }
        }

        return _buffer[_start];
    }

    private void Advance(int bytes)
    {
        ReadOnlySpan<byte> passed = _buffer.AsSpan(_start, bytes);
        int last = passed.LastIndexOf((byte)'\n');
        if (last >= 0)
        {
            _line += passed.Count((byte)'\n');
            _lineStart = _dropped + _start + last + 1;
        }

        _start += bytes;
    }

    /// <summary>Appends more input to the buffer.</summary>
    /// <returns>False at the end, for all further calls.</returns>
    private bool Fill()
    {
        if (_isAll)
        {
            return false;
        }

        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            _dropped += _start;
            _end -= _start;
            _start = 0;
        }

        if (_end == _buffer.Length)
        {
            if (_buffer.Length >= MaxRecordBytes)
            {
                throw new InvalidDataException($"{Position}: a JSON value is longer than {MaxRecordBytes >> 20} MiB");
            }

            Array.Resize(ref _buffer, _buffer.Length * 2);
        }

        int read = _stream.Read(_buffer, _end, _buffer.Length - _end);
        _end += read;
        _isAll = read == 0;
        return true;
    }
}
