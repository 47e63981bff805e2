using System.Buffers.Binary;
using Streaming.Core.Hashing;

namespace Streaming.Core.Snapshots;

/// <summary>Reads what <see cref="CheckedWriter"/> wrote. Every frame is verified before a word of it is believed.</summary>
internal sealed class CheckedReader(Stream source)
{
    private readonly byte[] _buffer = new byte[CheckedWriter.FrameBytes + 8];
    private ulong _frame;
    private int _length;
    private int _read;
    private bool _ended;

    /// <summary>Reads a word.</summary>
    /// <exception cref="InvalidDataException">The stream is cut off or altered.</exception>
    public long ReadInt64()
    {
        if (_read == _length)
        {
            ReadFrame();
            if (_ended)
            {
                throw new InvalidDataException("The ingestion snapshot ends too early.");
            }
        }

        long value = BinaryPrimitives.ReadInt64LittleEndian(_buffer.AsSpan(_read));
        _read += sizeof(long);
        return value;
    }

    /// <summary>Reads a word that has bounds.</summary>
    public long ReadInt64(long min, long max, string what)
    {
        long value = ReadInt64();
        return value >= min && value <= max
            ? value
            : throw new InvalidDataException($"The ingestion snapshot says {what} = {value}; allowed are {min} to {max}.");
    }

    /// <summary>Expects the end.</summary>
    public void Complete()
    {
        if (_read == _length && !_ended)
        {
            ReadFrame();
        }

        if (!_ended)
        {
            throw new InvalidDataException("The ingestion snapshot has more in it than it says.");
        }
    }

    private void ReadFrame()
    {
        if (_ended)
        {
            return;
        }

        Span<byte> head = stackalloc byte[4];
        ReadExactly(head);
        int length = BinaryPrimitives.ReadInt32LittleEndian(head);
        if (length < 0 || length > CheckedWriter.FrameBytes || length % sizeof(long) != 0)
        {
            throw new InvalidDataException($"Frame {_frame} of the ingestion snapshot says it has {length} bytes; allowed are multiples of 8 up to {CheckedWriter.FrameBytes}.");
        }

        ReadExactly(_buffer.AsSpan(0, length + 8));
        if (XxHash64.Hash(_buffer.AsSpan(0, length), _frame) != BinaryPrimitives.ReadUInt64LittleEndian(_buffer.AsSpan(length)))
        {
            throw new InvalidDataException($"Frame {_frame} of the ingestion snapshot does not match its checksum.");
        }

        _frame++;
        _length = length;
        _read = 0;
        _ended = length == 0;
    }

    private void ReadExactly(Span<byte> bytes)
    {
        if (source.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) < bytes.Length)
        {
            throw new InvalidDataException($"The ingestion snapshot is cut off in frame {_frame}.");
        }
    }
}
