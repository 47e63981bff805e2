using Streaming.Models.State;

namespace Streaming.Learning.Cpu.Ranks;

/// <summary>
/// Reads a table of item rows for rank k of M from the tables of N: place j of the dealt table is row j·M + k, which is row (j·M + k) / N
/// of the table of rank (j·M + k) mod N.
/// </summary>
/// <remarks>Of each table it reads a range of rows at once and keeps those that it needs: reading only these would touch every page of a
/// disk all the same, in as many calls as there are rows.</remarks>
internal sealed class DealtRows(IReadOnlyList<TensorSource> parts, int rank, int size)
{
    private const int BlockBytes = 1 << 20;

    // After so many rows of the dealt table the same table of the N has one again, and so many of its own later.
    private readonly int _step = parts.Count / CommonDivisor(parts.Count, size);
    private readonly int _stride = size / CommonDivisor(parts.Count, size);
    private byte[] _block = [];

    /// <summary>Reads bytes of the dealt table.</summary>
    /// <param name="indices">[N] index of the tensor in each state.</param>
    /// <param name="length">Bytes of a row.</param>
    /// <param name="byteOffset">Offset in the dealt table.</param>
    /// <param name="destination">Filled completely; zero where the owner never used a row.</param>
    public void Read(int[] indices, int length, long byteOffset, Span<byte> destination)
    {
        long place = byteOffset / length;
        int inside = (int)(byteOffset % length);
        if (inside > 0)
        {
            int head = Math.Min(destination.Length, length - inside);
            ReadPart(indices, length, place++, inside, destination[..head]);
            destination = destination[head..];
        }

        int rows = destination.Length / length;
        for (int first = 0; first < Math.Min(rows, _step); first++)
        {
            ReadEvery(indices, length, place + first, destination[(first * length)..(rows * length)]);
        }

        if (destination.Length > rows * length)
        {
            ReadPart(indices, length, place + rows, 0, destination[(rows * length)..]);
        }
    }

    /// <summary>Reads the rows at a place and every step after it: those of one table.</summary>
    private void ReadEvery(int[] indices, int length, long place, Span<byte> destination)
    {
        (int owner, long stored) = Locate(place);
        long end = parts[owner].Tensors[indices[owner]].Shape[0];
        int perBlock = 1 + (BlockBytes / length / _stride);
        int rows = ((destination.Length / length) + _step - 1) / _step;
        for (int done = 0; done < rows; done += perBlock, stored += (long)perBlock * _stride)
        {
            int count = Math.Min(perBlock, rows - done);
            int present = (int)Math.Clamp((end - stored + _stride - 1) / _stride, 0, count);
            ReadOnlySpan<byte> block =
                present == 0 ? [] : Block(owner, indices[owner], stored * length, (((present - 1) * _stride) + 1) * length);
            for (int i = 0; i < count; i++)
            {
                Span<byte> row = destination.Slice((done + i) * _step * length, length);
                if (i < present)
                {
                    block.Slice(i * _stride * length, length).CopyTo(row);
                }
                else
                {
                    row.Clear();
                }
            }
        }
    }

    private void ReadPart(int[] indices, int length, long place, int inside, Span<byte> destination)
    {
        (int owner, long stored) = Locate(place);
        if (stored < parts[owner].Tensors[indices[owner]].Shape[0])
        {
            parts[owner].Read(indices[owner], (stored * length) + inside, destination);
        }
        else
        {
            destination.Clear();
        }
    }

    private (int Owner, long Stored) Locate(long place)
    {
        long row = (place * size) + rank;
        return ((int)(row % parts.Count), row / parts.Count);
    }

    private ReadOnlySpan<byte> Block(int owner, int tensor, long byteOffset, int bytes)
    {
        Buffers.Grow(ref _block, bytes);
        parts[owner].Read(tensor, byteOffset, _block.AsSpan(0, bytes));
        return _block.AsSpan(0, bytes);
    }

    private static int CommonDivisor(int a, int b) => b == 0 ? a : CommonDivisor(b, a % b);
}
