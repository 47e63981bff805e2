using Streaming.Learning.Ranks;

namespace Streaming.Tests;

/// <summary>What every transport between ranks has to do. Each rank runs it; it throws at the first difference.</summary>
internal static class CollectiveContract
{
    public static void Verify(Collective ranks)
    {
        ranks.Barrier();
        for (int round = 0; round < 3; round++)
        {
            Gather(ranks);
            GatherInPlace(ranks);
            Exchange(ranks);
            Broadcast(ranks);
            Sum(ranks);
            SumScatter(ranks);
        }

        ranks.Barrier();
    }

    // Rank 0 has nothing.
    private static void Gather(Collective ranks)
    {
        int[] counts = [.. Enumerable.Range(0, ranks.Size).Select(rank => 3 * rank)];
        float[] all = new float[2 * counts.Sum()];
        float[] own = [.. Enumerable.Range(0, 2 * counts[ranks.Rank]).Select(i => (100f * ranks.Rank) + i)];
        ranks.Gather<float>(own, all, counts, 2);
        Same(Enumerable.Range(0, ranks.Size).SelectMany(rank => Enumerable.Range(0, 6 * rank).Select(i => (100f * rank) + i)), all);
    }

    private static void GatherInPlace(Collective ranks)
    {
        int[] counts = [.. Enumerable.Repeat(5, ranks.Size)];
        long[] all = new long[5 * ranks.Size];
        Span<long> own = all.AsSpan(5 * ranks.Rank, 5);
        own.Fill(ranks.Rank + 1);
        ranks.Gather<long>(own, all, counts);
        Same(Enumerable.Range(0, 5 * ranks.Size).Select(i => (i / 5) + 1L), all);
    }

    // Rank a sends a + 2b values to rank b.
    private static void Exchange(Collective ranks)
    {
        int[] sent = [.. Enumerable.Range(0, ranks.Size).Select(to => ranks.Rank + (2 * to))];
        int[] received = [.. Enumerable.Range(0, ranks.Size).Select(from => from + (2 * ranks.Rank))];
        int[] send = [.. sent.SelectMany((count, to) => Enumerable.Range(0, count).Select(i => Message(ranks.Rank, to, i)))];
        int[] receive = new int[received.Sum()];
        ranks.Exchange<int>(send, sent, receive, received);
        Same(received.SelectMany((count, from) => Enumerable.Range(0, count).Select(i => Message(from, ranks.Rank, i))), receive);
    }

    private static int Message(int from, int to, int i) => (10_000 * from) + (100 * to) + i;

    private static void Broadcast(Collective ranks)
    {
        for (int root = 0; root < ranks.Size; root++)
        {
            int[] values = ranks.Rank == root ? [root, 7, 9] : new int[3];
            ranks.Broadcast<int>(values, root);
            Same([root, 7, 9], values);
        }
    }

    // 1e16 + 1 − 1e16 depends on the order: that of the ranks.
    private static void Sum(Collective ranks)
    {
        double[] terms = [1e16, 1, -1e16, 3];
        double[] values = [terms[ranks.Rank % 4], ranks.Rank];
        ranks.Sum(values);
        double expected = 0;
        for (int rank = 0; rank < ranks.Size; rank++)
        {
            expected += terms[rank % 4];
        }

        Same([expected, ranks.Size * (ranks.Size - 1) / 2.0], values);
    }

    private static void SumScatter(Collective ranks)
    {
        int[] counts = [.. Enumerable.Range(0, ranks.Size).Select(rank => rank)];
        float[] all = [.. Enumerable.Range(0, 2 * counts.Sum()).Select(i => 1f / (1 + i + ranks.Rank))];
        float[] own = new float[2 * counts[ranks.Rank]];
        ranks.SumScatter(all, own, counts, 2);
        int first = counts[..ranks.Rank].Sum() * 2;
        float[] expected = new float[own.Length];
        for (int rank = 0; rank < ranks.Size; rank++)
        {
            for (int i = 0; i < own.Length; i++)
            {
                expected[i] += 1f / (1 + first + i + rank);
            }
        }

        Same(expected, own);
    }

    private static void Same<T>(IEnumerable<T> expected, T[] actual)
    {
        if (!actual.SequenceEqual(expected))
        {
            throw new InvalidOperationException($"[{string.Join(", ", actual)}] instead of [{string.Join(", ", expected)}]");
        }
    }
}
