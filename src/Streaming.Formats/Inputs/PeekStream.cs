using ZstdSharp;

namespace Streaming.Formats.Inputs;

/// <summary>A stream of which the first bytes can be looked at before they are read, also where it cannot seek.</summary>
internal sealed class PeekStream : Stream
{
    private readonly Stream _inner;
    private readonly string? _compression;
    private readonly byte[] _head;
    private int _length;
    private int _position;

    /// <summary>Reads the head of a stream, which this then owns.</summary>
    /// <param name="inner">The stream.</param>
    /// <param name="headBytes">How much of it can be looked at.</param>
    /// <param name="compression">What the stream decompresses, for messages, or null.</param>
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

    /// <summary>The first bytes, all of them where there are no more.</summary>
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

    // Each decompressor fails in its own words, and some of them name only themselves.
    private int ReadInner(Span<byte> buffer)
    {
        try
        {
            return _inner.Read(buffer);
        }
        catch (Exception exception) when (_compression is not null && exception is InvalidDataException or EndOfStreamException or ZstdException)
        {
            throw new InvalidDataException($"the {_compression} data ends too early or is damaged ({exception.Message.TrimEnd('.')})", exception);
        }
    }

    public override void Flush()
    {
    }

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
