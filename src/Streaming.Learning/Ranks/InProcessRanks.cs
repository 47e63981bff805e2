using System.Runtime.ExceptionServices;

namespace Streaming.Learning.Ranks;

/// <summary>Ranks that are threads of one process: the reference for every other transport.</summary>
public static class InProcessRanks
{
    /// <summary>Runs work on a thread per rank and returns when all have ended.</summary>
    /// <param name="size">Number of ranks, 1 and up.</param>
    /// <param name="work">What each rank does.</param>
    /// <remarks>Rethrows the exception of the first rank that failed; the others leave their next collective operation by an
    /// exception.</remarks>
    public static void Run(int size, Action<Collective> work)
    {
        ArgumentNullException.ThrowIfNull(work);
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 1);
        using var room = new Room(size);
        var threads = new Thread[size];
        for (int rank = 0; rank < size; rank++)
        {
            var seat = new Seat(room, rank);
            threads[rank] = new Thread(() => room.Guard(() => work(seat))) { Name = $"rank-{rank}" };
            threads[rank].Start();
        }

        foreach (Thread thread in threads)
        {
            thread.Join();
        }

        room.Failure?.Throw();
    }

    /// <summary>Where ranks leave bytes for each other.</summary>
    private sealed class Room(int size) : IDisposable
    {
        private readonly Barrier _barrier = new(size);
        private readonly CancellationTokenSource _closed = new();
        private ExceptionDispatchInfo? _failure;

        public int Size => size;

        public byte[][] Boxes { get; } = [.. Enumerable.Range(0, size).Select(_ => Array.Empty<byte>())];

        public int[][] Counts { get; } = [.. Enumerable.Range(0, size).Select(_ => new int[size])];

        public ExceptionDispatchInfo? Failure => _failure;

        public void Meet() => _barrier.SignalAndWait(_closed.Token);

        public void Guard(Action work)
        {
            try
            {
                work();
            }
#pragma warning disable CA1031 // The first exception is rethrown on the caller's thread.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                Interlocked.CompareExchange(ref _failure, ExceptionDispatchInfo.Capture(exception), null);
                _closed.Cancel();
            }
        }

        public void Dispose()
        {
            _barrier.Dispose();
            _closed.Dispose();
        }
    }

    private sealed class Seat(Room room, int rank) : Collective(rank, room.Size)
    {
        protected override void Wait() => room.Meet();

        protected override void GatherBytes(ReadOnlySpan<byte> own, Span<byte> all, ReadOnlySpan<int> counts)
        {
            Leave(own);
            room.Counts[Rank][0] = own.Length;
            room.Meet();
            for (int from = 0, at = 0; from < Size; at += counts[from++])
            {
                Agree(from, room.Counts[from][0], counts[from]);
                room.Boxes[from].AsSpan(0, counts[from]).CopyTo(all[at..]);
            }

            room.Meet();
        }

        protected override void ExchangeBytes(
            ReadOnlySpan<byte> send,
            ReadOnlySpan<int> sendCounts,
            Span<byte> receive,
            ReadOnlySpan<int> receiveCounts
        )
        {
            Leave(send);
            sendCounts.CopyTo(room.Counts[Rank]);
            room.Meet();
            for (int from = 0, at = 0; from < Size; at += receiveCounts[from++])
            {
                ReadOnlySpan<int> counts = room.Counts[from];
                Agree(from, counts[Rank], receiveCounts[from]);
                int start = 0;
                foreach (int count in counts[..Rank])
                {
                    start += count;
                }

                room.Boxes[from].AsSpan(start, counts[Rank]).CopyTo(receive[at..]);
            }

            room.Meet();
        }

        protected override void BroadcastBytes(Span<byte> values, int root)
        {
            if (Rank == root)
            {
                Leave(values);
            }

            room.Meet();
            room.Boxes[root].AsSpan(0, values.Length).CopyTo(values);
            room.Meet();
        }

        private void Agree(int from, int sent, int expected)
        {
            if (sent != expected)
            {
                throw new InvalidOperationException($"Rank {from} sends {sent} bytes to rank {Rank}, which expects {expected}.");
            }
        }

        private void Leave(ReadOnlySpan<byte> bytes)
        {
            ref byte[] box = ref room.Boxes[Rank];
            if (box.Length < bytes.Length)
            {
                box = GC.AllocateUninitializedArray<byte>(bytes.Length + (bytes.Length / 4));
            }

            bytes.CopyTo(box);
        }
    }
}
