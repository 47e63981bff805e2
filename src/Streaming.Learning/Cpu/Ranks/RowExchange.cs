using System.Numerics.Tensors;
using Streaming.Kernels.Simd;
using Streaming.Learning.Ranks;
using Streaming.Models.Batches;
using Streaming.Models.State;

namespace Streaming.Learning.Cpu.Ranks;

/// <summary>
/// Item rows between the ranks that use them and the one that stores them: row r is stored by rank r mod N, as its row r / N. Each rank
/// asks for the rows of its step; an owner that is asked for a row by several ranks has it once.
/// </summary>
internal sealed class RowExchange(Collective ranks, int d)
{
    private readonly int[] _ones = [.. Enumerable.Repeat(1, ranks.Size)];
    private readonly int[] _wantedCounts = new int[ranks.Size];
    private readonly int[] _askedCounts = new int[ranks.Size];
    private readonly int[] _next = new int[ranks.Size];
    private int[] _places = [];
    private int[] _wanted = [];
    private int[] _asked = [];
    private int[] _askedSlots = [];
    private int _wantedCount;
    private int _askedCount;
    private AlignedFloats _answers = AlignedFloats.Empty;
    private AlignedFloats _packed = AlignedFloats.Empty;
    private AlignedFloats _sums = AlignedFloats.Empty;

    /// <summary>Gets the distinct rows that this rank stores and any rank asked for, as numbered here.</summary>
    public RowSlots Owned { get; } = new();

    /// <summary>Gets the gradients of <see cref="Owned"/> after <see cref="Return"/> [n × D].</summary>
    public Span<float> Sums => _sums.AsSpan(0, Owned.Count * d);

    /// <summary>Tells each owner which rows this rank needs, and learns which of its own are needed.</summary>
    /// <param name="rows">Rows of the item table.</param>
    public void Ask(ReadOnlySpan<int> rows)
    {
        Sort(rows);
        ranks.Exchange<int>(_wantedCounts, _ones, _askedCounts, _ones);
        _askedCount = TensorPrimitives.Sum<int>(_askedCounts);
        Buffers.Grow(ref _asked, _askedCount);
        Buffers.Grow(ref _askedSlots, _askedCount);
        ranks.Exchange<int>(_wanted.AsSpan(0, _wantedCount), _wantedCounts, _asked.AsSpan(0, _askedCount), _askedCounts);
        Owned.Clear();
        for (int i = 0; i < _askedCount; i++)
        {
            _askedSlots[i] = Owned.Add(_asked[i]);
        }
    }

    /// <summary>Gives each rank the vectors that it asked for.</summary>
    /// <param name="owned">Vectors of <see cref="Owned"/> [n × D].</param>
    /// <param name="vectors">Out: vectors of the rows of <see cref="Ask"/> [rows × D].</param>
    public void Fetch(ReadOnlySpan<float> owned, Span<float> vectors)
    {
        Buffers.Grow(ref _answers, _askedCount, d);
        Buffers.Grow(ref _packed, _wantedCount, d);
        Span<float> answers = _answers.AsSpan(0, _askedCount * d),
            packed = _packed.AsSpan(0, _wantedCount * d);
        for (int i = 0; i < _askedCount; i++)
        {
            owned.Slice(_askedSlots[i] * d, d).CopyTo(answers[(i * d)..]);
        }

        ranks.Exchange<float>(answers, _askedCounts, packed, _wantedCounts, d);
        for (int i = 0; i < _wantedCount; i++)
        {
            packed.Slice(i * d, d).CopyTo(vectors[(_places[i] * d)..]);
        }
    }

    /// <summary>Brings gradients to the owners, who add them in rank order: <see cref="Sums"/>.</summary>
    /// <param name="gradients">Gradients of the rows of <see cref="Ask"/> [rows × D].</param>
    public void Return(ReadOnlySpan<float> gradients)
    {
        Span<float> answers = _answers.AsSpan(0, _askedCount * d),
            packed = _packed.AsSpan(0, _wantedCount * d);
        for (int i = 0; i < _wantedCount; i++)
        {
            gradients.Slice(_places[i] * d, d).CopyTo(packed[(i * d)..]);
        }

        ranks.Exchange<float>(packed, _wantedCounts, answers, _askedCounts, d);
        Buffers.Grow(ref _sums, Owned.Count, d);
        Sums.Clear();
        for (int i = 0; i < _askedCount; i++)
        {
            Span<float> sum = _sums.AsSpan(_askedSlots[i] * d, d);
            TensorPrimitives.Add(sum, answers.Slice(i * d, d), sum);
        }
    }

    // By owner, those of one owner in the order in which they were given.
    private void Sort(ReadOnlySpan<int> rows)
    {
        _wantedCount = rows.Length;
        Buffers.Grow(ref _places, rows.Length);
        Buffers.Grow(ref _wanted, rows.Length);
        Array.Clear(_wantedCounts);
        foreach (int row in rows)
        {
            _wantedCounts[row % ranks.Size]++;
        }

        for (int rank = 0, at = 0; rank < ranks.Size; at += _wantedCounts[rank++])
        {
            _next[rank] = at;
        }

        for (int i = 0; i < rows.Length; i++)
        {
            int at = _next[rows[i] % ranks.Size]++;
            (_places[at], _wanted[at]) = (i, rows[i] / ranks.Size);
        }
    }
}
