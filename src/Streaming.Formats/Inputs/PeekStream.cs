using ZstdSharp;

namespace Streaming.Formats.Inputs;

/// <summary>A stream whose first bytes can be peeked at before they are read, even if it is not seekable.</summary>
internal sealed class PeekStream : Stream
{
    private readonly Stream _inner;
    private readonly string? _compression;
    private readonly byte[] _head;
    private int _length;
    private int _position;

    /// <summary>Reads the head of a stream, which this instance then owns.</summary>
    /// <param name="inner">The stream.</param>
    /// <param name="headBytes">The maximum number of bytes to peek at.</param>
    /// <param name="compression">The compression that the stream decodes, for messages, or null.</param>
    public PeekStream(Stream inner, int headBytes, string? compression = null)
    {
        _inner = inner;
        _compression = compression;
        _head = new byte[headBytes];
        while (_length < headBytes && ReadInner(_head.AsSpan(_length)) is > 0 and var read)
        {
            _length += read;
        }
    }

    /// <summary>The first bytes; all of them if the stream is shorter.</summary>
    public ReadOnlySpan<byte> Head => _head.AsSpan(0, _length);

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
        int count = Math.Min(buffer.Length, _length - _position);
        if (count == 0)
        {
            return ReadInner(buffer);
        }

        _head.AsSpan(_position, count).CopyTo(buffer);
        _position += count;
        return count;
    }

    // Each decompressor has its own error messages, and some contain only its name.
    private int ReadInner(Span<byte> buffer)
    {
        try
        {
            return _inner.Read(buffer);
        }
        catch (Exception exception)
            when (_compression is not null && exception is InvalidDataException or EndOfStreamException or ZstdException)
        {
            throw new InvalidDataException(
                $"the {_compression} data is truncated or damaged ({exception.Message.TrimEnd('.')})",
                exception
            );
        }
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
}
