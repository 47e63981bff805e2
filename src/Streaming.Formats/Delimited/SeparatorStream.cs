namespace Streaming.Formats.Delimited;

/// <summary>Replaces a multi-byte separator, such as MovieLens' "::", by ASCII's unit separator.</summary>
internal sealed class SeparatorStream : Stream
{
    /// <summary>The replacement.</summary>
    public const char Replacement = '\x1f';

    private readonly Stream _inner;
    private readonly byte[] _separator;
    private readonly byte[] _buffer = new byte[64 << 10];
    private int _start;
    private int _end;
    private bool _isAll;

    /// <summary>Creates a stream that owns <paramref name="inner"/>.</summary>
    public SeparatorStream(Stream inner, ReadOnlySpan<byte> separator)
    {
        _inner = inner;
        _separator = separator.ToArray();
    }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer)
    {
        int written = 0;
        while (written < buffer.Length && Available() > 0)
        {
            ReadOnlySpan<byte> rest = _buffer.AsSpan(_start, _end - _start);
            if (rest.StartsWith(_separator))
            {
                buffer[written++] = (byte)Replacement;
                _start += _separator.Length;
                continue;
            }

            // Up to the next byte that may start a separator; this one does not.
            int next = rest[1..].IndexOf(_separator[0]);
            int count = Math.Min(buffer.Length - written, next < 0 ? rest.Length : next + 1);
            rest[..count].CopyTo(buffer[written..]);
            written += count;
            _start += count;
        }

        return written;
    }

    public override void Flush() { }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _inner.Dispose();
        }

        base.Dispose(disposing);
    }

    // Either a separator is complete in the buffer, or the input has ended.
    private int Available()
    {
        while (_end - _start < _separator.Length && !_isAll)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            _end -= _start;
            _start = 0;
            int read = _inner.Read(_buffer, _end, _buffer.Length - _end);
            _end += read;
            _isAll = read == 0;
        }

        return _end - _start;
    }
}
