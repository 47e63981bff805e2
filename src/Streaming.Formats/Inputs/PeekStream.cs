namespace Streaming.Formats.Inputs;

/// <summary>A stream of which the first bytes can be looked at before they are read, also where it cannot seek.</summary>
internal sealed class PeekStream : Stream
{
    private readonly Stream _inner;
    private readonly byte[] _head;
    private readonly int _length;
    private int _position;

    /// <summary>Reads the head of a stream, which this then owns.</summary>
    public PeekStream(Stream inner, int headBytes)
    {
        _inner = inner;
        _head = new byte[headBytes];
        _length = inner.ReadAtLeast(_head, headBytes, throwOnEndOfStream: false);
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
            return _inner.Read(buffer);
        }

        _head.AsSpan(_position, count).CopyTo(buffer);
        _position += count;
        return count;
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
