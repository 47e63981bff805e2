using System.Runtime.InteropServices;
using Streaming.Models.State;

namespace Streaming.Learning.Cpu.Ranks;

/// <summary>
/// The state of one of M ranks, dealt from the states of N: item row r goes from rank r mod N to rank r mod M, and what every rank has is
/// that of rank 0. With N or M of 1 it is the state of one engine that stores all rows.
/// </summary>
/// <remarks>Reads through to the states that it was dealt from.</remarks>
public sealed class DealtState : TensorSource
{
    private readonly IReadOnlyList<TensorSource> _parts;
    private readonly int[][] _indices;
    private readonly DealtRows _rows;
    private readonly int[] _rowBytes;
    private readonly int[] _share;
    private readonly bool _owns;

    /// <summary>Deals a state.</summary>
    /// <param name="parts">The states of all N ranks, in rank order; of one moment.</param>
    /// <param name="rank">The rank to deal to, 0 … <paramref name="size"/> − 1.</param>
    /// <param name="size">Number of ranks to deal to, M, 1 and up.</param>
    /// <param name="owns">Whether to dispose of the states with this one.</param>
    /// <exception cref="StateMismatchException">A state is missing or in another place, or lacks a tensor that rank 0's has.</exception>
    public DealtState(IReadOnlyList<TensorSource> parts, int rank, int size, bool owns = false)
    {
        ArgumentNullException.ThrowIfNull(parts);
        ArgumentOutOfRangeException.ThrowIfZero(parts.Count, nameof(parts));
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)rank, (uint)size, nameof(rank));
        (_parts, _share, _owns) = (parts, [rank, size], owns);
        _rows = new DealtRows(parts, rank, size);
        for (int part = 0; part < parts.Count; part++)
        {
            CheckShare(part);
        }

        TensorInfo[] kept = [.. parts[0].Tensors.Where(tensor => tensor.Name != RankTensors.Share)];
        _indices = [.. kept.Select(Indices)];
        _rowBytes = [.. kept.Select(tensor => RankTensors.IsByItem(tensor.Name) ? RowBytes(tensor) : 0)];
        TensorInfo[] dealt = [.. kept.Select(Dealt)];
        Tensors = size == 1 ? dealt : [.. dealt, new TensorInfo(RankTensors.Share, TensorType.I32, [2])];
    }

    /// <inheritdoc/>
    public override IReadOnlyList<TensorInfo> Tensors { get; }

    /// <inheritdoc/>
    public override void Read(int tensor, long byteOffset, Span<byte> destination)
    {
        if (tensor == _indices.Length)
        {
            MemoryMarshal.AsBytes<int>(_share).Slice((int)byteOffset, destination.Length).CopyTo(destination);
        }
        else if (_rowBytes[tensor] == 0)
        {
            _parts[0].Read(_indices[tensor][0], byteOffset, destination);
        }
        else
        {
            _rows.Read(_indices[tensor], _rowBytes[tensor], byteOffset, destination);
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (_owns && disposing)
        {
            foreach (TensorSource part in _parts)
            {
                part.Dispose();
            }
        }
    }

    private void CheckShare(int part)
    {
        int index = RankTensors.IndexOf(_parts[part], RankTensors.Share);
        int[] share = [0, 1];
        if (index >= 0)
        {
            _parts[part].Read(index, 0, MemoryMarshal.AsBytes(share.AsSpan()));
        }

        if (share[0] != part || share[1] != _parts.Count)
        {
            throw new StateMismatchException(
                $"State {part} of {_parts.Count} is that of rank {share[0]} of {share[1]}. Give the states of all ranks in rank order."
            );
        }
    }

    private int[] Indices(TensorInfo tensor)
    {
        int[] indices = new int[_parts.Count];
        for (int part = 0; part < indices.Length; part++)
        {
            indices[part] = RankTensors.IndexOf(_parts[part], tensor.Name);
            if (indices[part] < 0)
            {
                throw new StateMismatchException($"Tensor {tensor.Name} is in the state of rank 0 and not in that of rank {part}.");
            }
        }

        return indices;
    }

    // Row r exists if any rank has a row from r on: the table ends at the highest row ever used.
    private TensorInfo Dealt(TensorInfo tensor, int index)
    {
        if (_rowBytes[index] == 0)
        {
            return tensor;
        }

        long end = 0;
        for (int part = 0; part < _parts.Count; part++)
        {
            long stored = _parts[part].Tensors[_indices[index][part]].Shape[0];
            end = stored == 0 ? end : Math.Max(end, ((stored - 1) * _parts.Count) + part + 1);
        }

        long rows = Math.Max(0, (end - _share[0] + _share[1] - 1) / _share[1]);
        return tensor with { Shape = [rows, .. tensor.Shape.Skip(1)] };
    }

    private static int RowBytes(TensorInfo tensor) => checked((int)(tensor with { Shape = [1, .. tensor.Shape.Skip(1)] }).ByteCount());
}
