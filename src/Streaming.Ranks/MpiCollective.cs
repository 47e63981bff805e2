using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Streaming.Learning.Ranks;
using Streaming.Ranks.Native;

namespace Streaming.Ranks;

/// <summary>Ranks that are processes of one MPI job.</summary>
/// <remarks>
/// <see cref="Collective.Dispose()"/> waits for all ranks: call it when all have ended well. A rank that fails exits without it, by its
/// exit code or an exception; the launcher then ends the others and returns the code.
/// </remarks>
internal sealed unsafe class MpiCollective : Collective
{
    private readonly MpiHandles _mpi;
    private readonly int[] _sendOffsets;
    private readonly int[] _receiveOffsets;
    private bool _isFinished;

    /// <summary>Wraps an initialised library.</summary>
    public MpiCollective(MpiHandles mpi, int rank, int size)
        : base(rank, size)
    {
        _mpi = mpi;
        (_sendOffsets, _receiveOffsets) = (new int[size], new int[size]);
    }

    public override void Abort(int exitCode) => _ = OpenMpi.Abort(_mpi.World, exitCode);

    protected override void Wait() => Check(OpenMpi.Barrier(_mpi.World), "MPI_Barrier");

    protected override void GatherBytes(ReadOnlySpan<byte> own, Span<byte> all, ReadOnlySpan<int> counts)
    {
        SetOffsets(counts, _receiveOffsets);
        bool isInPlace = Unsafe.AreSame(
            ref MemoryMarshal.GetReference(own),
            ref Unsafe.Add(ref MemoryMarshal.GetReference(all), _receiveOffsets[Rank])
        );
        fixed (
            byte* from = own,
                to = all
        )
        fixed (
            int* sizes = counts,
                offsets = _receiveOffsets
        )
        {
            byte* source = isInPlace ? (byte*)OpenMpi.InPlace : from;
            Check(OpenMpi.AllGather(source, own.Length, _mpi.Byte, to, sizes, offsets, _mpi.Byte, _mpi.World), "MPI_Allgatherv");
        }
    }

    protected override void ExchangeBytes(
        ReadOnlySpan<byte> send,
        ReadOnlySpan<int> sendCounts,
        Span<byte> receive,
        ReadOnlySpan<int> receiveCounts
    )
    {
        SetOffsets(sendCounts, _sendOffsets);
        SetOffsets(receiveCounts, _receiveOffsets);
        fixed (
            byte* from = send,
                to = receive
        )
        fixed (
            int* sent = sendCounts,
                received = receiveCounts,
                sendOffsets = _sendOffsets,
                receiveOffsets = _receiveOffsets
        )
        {
            Check(
                OpenMpi.AllToAll(from, sent, sendOffsets, _mpi.Byte, to, received, receiveOffsets, _mpi.Byte, _mpi.World),
                "MPI_Alltoallv"
            );
        }
    }

    protected override void BroadcastBytes(Span<byte> values, int root)
    {
        fixed (byte* bytes = values)
        {
            Check(OpenMpi.Broadcast(bytes, values.Length, _mpi.Byte, root, _mpi.World), "MPI_Bcast");
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_isFinished)
        {
            _isFinished = true;
            Check(OpenMpi.Finish(), "MPI_Finalize");
        }

        base.Dispose(disposing);
    }

    private void Check(int error, string function)
    {
        if (error != 0)
        {
            throw new RanksException($"{function} failed on rank {Rank} of {Size}: {OpenMpi.Text(error)}");
        }
    }

    private static void SetOffsets(ReadOnlySpan<int> counts, int[] offsets)
    {
        for (int rank = 0, at = 0; rank < counts.Length; at += counts[rank++])
        {
            offsets[rank] = at;
        }
    }
}
