using System.Diagnostics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Streaming.Models.State;

namespace Streaming.Learning.Ranks;

/// <summary>
/// The ranks that train one model, as one of them sees them. Every operation is collective: all ranks call the same ones in the same
/// order, with spans that fit, and an operation returns once this rank has what it needs.
/// </summary>
/// <remarks>
/// Sums are taken in rank order by whoever receives them, not by the transport, so every rank gets the same bits, a repeated run
/// gives the same bits, and so does another transport. One thread at a time may use an instance. Counts are in units of
/// <c>width</c> values, so that rows of D floats are counted as rows.
/// </remarks>
public abstract class Collective : IDisposable
{
    private readonly int[] _sendBytes;
    private readonly int[] _receiveBytes;
    private readonly int[] _equalCounts;
    private float[] _parts = [];
    private double[] _terms = [];
    private long _entered;
    private long _operations;

    /// <summary>Creates the view of one rank.</summary>
    /// <param name="rank">Number of this rank, 0 … <paramref name="size"/> − 1.</param>
    /// <param name="size">Number of ranks, 1 and up.</param>
    protected Collective(int rank, int size)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)rank, (uint)size, nameof(rank));
        (Rank, Size) = (rank, size);
        (_sendBytes, _receiveBytes, _equalCounts) = (new int[size], new int[size], new int[size]);
    }

    /// <summary>Gets the number of this rank, 0 … <see cref="Size"/> − 1.</summary>
    public int Rank { get; }

    /// <summary>Gets the number of ranks, 1 and up.</summary>
    public int Size { get; }

    /// <summary>Gets the bytes that this rank has sent to other ranks.</summary>
    public long BytesSent { get; private set; }

    /// <summary>Gets the time that this rank has spent in collective operations, including the wait for other ranks.</summary>
    public TimeSpan Time { get; private set; }

    /// <summary>Gets the number of operations that this rank has begun. The ranks with the fewest are those that the others wait for.
    /// Any thread.</summary>
    public long Operations => Volatile.Read(ref _operations);

    /// <summary>Gets how long this rank has been in its current operation; zero when it is in none. Any thread.</summary>
    public TimeSpan Waiting => Volatile.Read(ref _entered) is var entered and not 0 ? Stopwatch.GetElapsedTime(entered) : TimeSpan.Zero;

    /// <summary>Ends all ranks at once, as far as they are processes: this one failed, and the others would wait for it.</summary>
    /// <param name="exitCode">The exit code of the job.</param>
    public virtual void Abort(int exitCode) { }

    /// <summary>Waits until all ranks have called this.</summary>
    public void Barrier()
    {
        long begun = Enter();
        Wait();
        Leave(begun);
    }

    /// <summary>Concatenates the values of all ranks in rank order, on every rank.</summary>
    /// <param name="own">This rank's values. May be their own place in <paramref name="all"/>.</param>
    /// <param name="all">Out: the values of all ranks.</param>
    /// <param name="counts">[<see cref="Size"/>] number of units of each rank.</param>
    /// <param name="width">Values per unit, 1 and up.</param>
    public void Gather<T>(ReadOnlySpan<T> own, Span<T> all, ReadOnlySpan<int> counts, int width = 1)
        where T : unmanaged
    {
        long begun = Enter();
        int total = InBytes<T>(counts, width, _receiveBytes, nameof(counts));
        Fits(own, _receiveBytes[Rank], nameof(own));
        Fits<T>(all, total, nameof(all));
        BytesSent += (Size - 1L) * _receiveBytes[Rank];
        GatherBytes(MemoryMarshal.AsBytes(own), MemoryMarshal.AsBytes(all), _receiveBytes);
        Leave(begun);
    }

    /// <summary>Sends a part of the values to each rank, and receives a part from each, in rank order.</summary>
    /// <param name="send">The parts for rank 0, 1, …, concatenated.</param>
    /// <param name="sendCounts">[<see cref="Size"/>] number of units for each rank.</param>
    /// <param name="receive">Out: the parts from rank 0, 1, …, concatenated.</param>
    /// <param name="receiveCounts">[<see cref="Size"/>] number of units from each rank.</param>
    /// <param name="width">Values per unit, 1 and up.</param>
    public void Exchange<T>(
        ReadOnlySpan<T> send,
        ReadOnlySpan<int> sendCounts,
        Span<T> receive,
        ReadOnlySpan<int> receiveCounts,
        int width = 1
    )
        where T : unmanaged
    {
        long begun = Enter();
        int sent = InBytes<T>(sendCounts, width, _sendBytes, nameof(sendCounts));
        Fits(send, sent, nameof(send));
        Fits<T>(receive, InBytes<T>(receiveCounts, width, _receiveBytes, nameof(receiveCounts)), nameof(receive));
        BytesSent += sent - _sendBytes[Rank];
        ExchangeBytes(MemoryMarshal.AsBytes(send), _sendBytes, MemoryMarshal.AsBytes(receive), _receiveBytes);
        Leave(begun);
    }

    /// <summary>Gives every rank the values of one.</summary>
    /// <param name="values">In on the root, out on the others; of equal length on all.</param>
    /// <param name="root">The rank whose values they are.</param>
    public void Broadcast<T>(Span<T> values, int root)
        where T : unmanaged
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)root, (uint)Size, nameof(root));
        long begun = Enter();
        Span<byte> bytes = MemoryMarshal.AsBytes(values);
        BytesSent += Rank == root ? (Size - 1L) * bytes.Length : 0;
        BroadcastBytes(bytes, root);
        Leave(begun);
    }

    /// <summary>Replaces values by their sums over all ranks. For a few values: every rank receives those of all.</summary>
    /// <param name="values">In: this rank's. Out: the sums, the same bits on every rank.</param>
    public void Sum(Span<double> values)
    {
        Buffers.Grow(ref _terms, values.Length * Size);
        Span<double> terms = _terms.AsSpan(0, values.Length * Size);
        Gather(values, terms, Equal(values.Length));
        values.Clear();
        for (int rank = 0; rank < Size; rank++)
        {
            TensorPrimitives.Add(values, terms.Slice(rank * values.Length, values.Length), values);
        }
    }

    /// <summary>Sums values over all ranks and leaves each rank its part of the sums.</summary>
    /// <param name="all">This rank's terms for rank 0, 1, …, concatenated.</param>
    /// <param name="own">Out: the sums of the terms for this rank.</param>
    /// <param name="counts">[<see cref="Size"/>] number of units of each rank.</param>
    /// <param name="width">Values per unit, 1 and up.</param>
    public void SumScatter(ReadOnlySpan<float> all, Span<float> own, ReadOnlySpan<int> counts, int width = 1)
    {
        Buffers.Grow(ref _parts, checked(own.Length * Size));
        Span<float> parts = _parts.AsSpan(0, own.Length * Size);
        Exchange(all, counts, parts, Equal(counts[Rank]), width);
        parts[..own.Length].CopyTo(own);
        for (int rank = 1; rank < Size; rank++)
        {
            TensorPrimitives.Add(own, parts.Slice(rank * own.Length, own.Length), own);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary><see cref="Barrier"/>.</summary>
    protected abstract void Wait();

    /// <summary><see cref="Gather{T}"/>; counts in bytes.</summary>
    protected abstract void GatherBytes(ReadOnlySpan<byte> own, Span<byte> all, ReadOnlySpan<int> counts);

    /// <summary><see cref="Exchange{T}"/>; counts in bytes.</summary>
    protected abstract void ExchangeBytes(
        ReadOnlySpan<byte> send,
        ReadOnlySpan<int> sendCounts,
        Span<byte> receive,
        ReadOnlySpan<int> receiveCounts
    );

    /// <summary><see cref="Broadcast{T}"/>.</summary>
    protected abstract void BroadcastBytes(Span<byte> values, int root);

    /// <summary>Leaves the ranks.</summary>
    /// <param name="disposing">Whether called by <see cref="Dispose()"/>.</param>
    protected virtual void Dispose(bool disposing) { }

    private long Enter()
    {
        long now = Stopwatch.GetTimestamp();
        Volatile.Write(ref _operations, _operations + 1);
        Volatile.Write(ref _entered, now);
        return now;
    }

    private void Leave(long entered)
    {
        Time += Stopwatch.GetElapsedTime(entered);
        Volatile.Write(ref _entered, 0);
    }

    private ReadOnlySpan<int> Equal(int count)
    {
        Array.Fill(_equalCounts, count);
        return _equalCounts;
    }

    private int InBytes<T>(ReadOnlySpan<int> counts, int width, int[] bytes, string name)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(counts.Length, Size, name);
        long total = 0;
        for (int rank = 0; rank < counts.Length; rank++)
        {
            long part = (long)counts[rank] * width * Unsafe.SizeOf<T>();
            total += part;
            if (part < 0 || total > int.MaxValue)
            {
                throw new ArgumentException(
                    $"{name} are [{string.Join(", ", counts.ToArray())}] × {width} values; allowed: 0 and up, below 2 GiB together. Use "
                        + "smaller batches, or more ranks."
                );
            }

            bytes[rank] = (int)part;
        }

        return (int)total;
    }

    private static void Fits<T>(ReadOnlySpan<T> values, int bytes, string name)
    {
        if ((long)values.Length * Unsafe.SizeOf<T>() != bytes)
        {
            throw new ArgumentException($"{name} has {values.Length} values; its counts say {bytes / Unsafe.SizeOf<T>()}.");
        }
    }
}
