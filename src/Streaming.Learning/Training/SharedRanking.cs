using Streaming.Learning.Engine;
using Streaming.Learning.Evaluation;
using Streaming.Learning.Ranks;
using Streaming.Models.Batches;
using Streaming.Models.State;

namespace Streaming.Learning.Training;

/// <summary>Ranking on several ranks: each encodes a part of the users and ranks among the items that it stores; counts add up.</summary>
/// <param name="engine">The engine of this rank. In a world of one nothing is exchanged.</param>
/// <param name="userSize">Numbers per user.</param>
internal sealed class SharedRanking(TrainingEngine engine, int userSize)
{
    private readonly Collective _ranks = engine.Ranks;
    private readonly int[] _counts = new int[engine.Ranks.Size];
    private int[] _offsets = [];
    private double[] _sums = [];
    private TopEntry[] _own = [];
    private TopEntry[] _all = [];

    /// <summary>Encodes users, given the same on every rank.</summary>
    /// <param name="sequences">[n] histories.</param>
    /// <param name="vectors">Out: [n × <c>userSize</c>], the same on every rank.</param>
    public void EncodeUsers(in JaggedRows sequences, Span<float> vectors)
    {
        if (_ranks.Size == 1)
        {
            engine.EncodeUsers(sequences, vectors);
            return;
        }

        int users = sequences.Count;
        for (int rank = 0; rank < _ranks.Size; rank++)
        {
            _counts[rank] = First(users, rank + 1) - First(users, rank);
        }

        int first = First(users, _ranks.Rank),
            count = _counts[_ranks.Rank],
            start = sequences.Offsets[first];
        Buffers.Grow(ref _offsets, count + 1);
        for (int i = 0; i <= count; i++)
        {
            _offsets[i] = sequences.Offsets[first + i] - start;
        }

        var share = new JaggedRows { Rows = sequences.Rows.Slice(start, _offsets[count]), Offsets = _offsets.AsSpan(0, count + 1) };
        Span<float> own = vectors.Slice(first * userSize, count * userSize);
        engine.EncodeUsers(share, own);
        _ranks.Gather(own, vectors, _counts, userSize);
    }

    /// <summary>Adds up the ranks among the items of each rank.</summary>
    public void Sum(Span<TiedRank> ranks)
    {
        if (_ranks.Size == 1)
        {
            return;
        }

        Buffers.Grow(ref _sums, 2 * ranks.Length);
        Span<double> sums = _sums.AsSpan(0, 2 * ranks.Length);
        for (int i = 0; i < ranks.Length; i++)
        {
            (sums[2 * i], sums[(2 * i) + 1]) = (ranks[i].Above, ranks[i].Ties);
        }

        _ranks.Sum(sums);
        for (int i = 0; i < ranks.Length; i++)
        {
            double above = sums[2 * i];
            ranks[i] = above >= int.MaxValue ? TiedRank.Missing : new TiedRank((int)above, (int)sums[(2 * i) + 1]);
        }
    }

    /// <summary>Merges the lists of the best items of each rank.</summary>
    /// <param name="lists">This rank's lists; out: those of the whole catalogue.</param>
    /// <param name="length">Maximum number of items in a list.</param>
    public void Merge(ReadOnlySpan<TopItems> lists, int length)
    {
        if (_ranks.Size == 1 || lists.IsEmpty)
        {
            return;
        }

        int size = length + 1;
        Buffers.Grow(ref _own, lists.Length * size);
        Buffers.Grow(ref _all, lists.Length * size * _ranks.Size);
        for (int i = 0; i < lists.Length; i++)
        {
            lists[i].CopyTo(_own.AsSpan(i * size, size));
        }

        _counts.AsSpan().Fill(lists.Length * size);
        _ranks.Gather(_own.AsSpan(0, lists.Length * size), _all.AsSpan(0, lists.Length * size * _ranks.Size), _counts);
        for (int i = 0; i < lists.Length; i++)
        {
            lists[i].Clear();
            for (int rank = 0; rank < _ranks.Size; rank++)
            {
                lists[i].Merge(_all.AsSpan(((rank * lists.Length) + i) * size, size));
            }
        }
    }

    private int First(int users, int rank) => (int)((long)users * rank / _ranks.Size);
}
