using System.Buffers.Binary;
using Streaming.Core.Hashing;

namespace Streaming.Core.Snapshots;

/// <summary>
/// Writes 64-bit little-endian words in frames: length (4 bytes), payload, XXH64 of the payload with the frame number as
/// seed. A frame of length 0 ends the stream, so truncation, alteration and reordering are detected.
/// </summary>
internal sealed class CheckedWriter(Stream destination)
{
    internal const int FrameBytes = 64 * 1024;
    private readonly byte[] _buffer = new byte[4 + FrameBytes + 8];
    private ulong _frame;
    private int _used;

    public void WriteInt64(long value)
    {
        if (_used == FrameBytes)
        {
            WriteFrame();
        }

        BinaryPrimitives.WriteInt64LittleEndian(_buffer.AsSpan(4 + _used), value);
        _used += sizeof(long);
    }

    public void Complete()
    {
        if (_used > 0)
        {
            WriteFrame();
        }

        WriteFrame();
        destination.Flush();
    }

    private void WriteFrame()
    {
        BinaryPrimitives.WriteInt32LittleEndian(_buffer, _used);
        BinaryPrimitives.WriteUInt64LittleEndian(_buffer.AsSpan(4 + _used), XxHash64.Hash(_buffer.AsSpan(4, _used), _frame++));
        destination.Write(_buffer, 0, 4 + _used + 8);
        _used = 0;
    }
}
