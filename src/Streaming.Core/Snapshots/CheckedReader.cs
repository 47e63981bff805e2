using System.Buffers.Binary;
using Streaming.Core.Hashing;

namespace Streaming.Core.Snapshots;

/// <summary>Reads the output of <see cref="CheckedWriter"/>. Verifies each frame before using any word of it.</summary>
internal sealed class CheckedReader(Stream source)
{
    private readonly byte[] _buffer = new byte[CheckedWriter.FrameBytes + 8];
    private ulong _frame;
    private int _length;
    private int _read;
    private bool _hasEnded;

    /// <summary>Reads a word.</summary>
    /// <exception cref="InvalidDataException">The stream is truncated or altered.</exception>
    public long ReadInt64()
    {
        if (_read == _length)
        {
            ReadFrame();
            if (_hasEnded)
            {
                throw new InvalidDataException("The ingestion snapshot ends prematurely.");
            }
        }

        long value = BinaryPrimitives.ReadInt64LittleEndian(_buffer.AsSpan(_read));
        _read += sizeof(long);
        return value;
    }

    /// <summary>Reads a word and checks its bounds.</summary>
    public long ReadInt64(long min, long max, string what)
    {
        long value = ReadInt64();
        return value >= min && value <= max
            ? value
            : throw new InvalidDataException($"The ingestion snapshot has {what} {value}; allowed: {min} to {max}.");
    }

    /// <summary>Checks that the stream ends here.</summary>
    public void Complete()
    {
        if (_read == _length && !_hasEnded)
        {
            ReadFrame();
        }

        if (!_hasEnded)
        {
            throw new InvalidDataException("The ingestion snapshot continues past its end.");
        }
    }

    private void ReadFrame()
    {
        if (_hasEnded)
        {
            return;
        }

        Span<byte> head = stackalloc byte[4];
        ReadExactly(head);
        int length = BinaryPrimitives.ReadInt32LittleEndian(head);
        if (length < 0 || length > CheckedWriter.FrameBytes || length % sizeof(long) != 0)
        {
            throw new InvalidDataException(
                $"Frame {_frame} of the ingestion snapshot has length {length}; allowed: multiples of 8 up to {CheckedWriter.FrameBytes}."
            );
        }

        ReadExactly(_buffer.AsSpan(0, length + 8));
        if (XxHash64.Hash(_buffer.AsSpan(0, length), _frame) != BinaryPrimitives.ReadUInt64LittleEndian(_buffer.AsSpan(length)))
        {
            throw new InvalidDataException($"Frame {_frame} of the ingestion snapshot does not match its checksum.");
        }

        _frame++;
        _length = length;
        _read = 0;
        _hasEnded = length == 0;
    }

    private void ReadExactly(Span<byte> bytes)
    {
        if (source.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) < bytes.Length)
        {
            throw new InvalidDataException($"The ingestion snapshot is truncated in frame {_frame}.");
        }
    }
}
