using Streaming.Kernels.Parallel;
using Streaming.Learning.Ranks;
using Streaming.Models.State;

namespace Streaming.Learning.Cpu.Ranks;

/// <summary>
/// Dense parameters are on every rank, and each rank updates a slice of them for all: replicas stay equal to the bit, even between CPUs
/// that round differently.
/// </summary>
internal sealed class DenseSlices
{
    // Slices begin at multiples of a cache line.
    private const int Alignment = 16;
    private readonly Collective _ranks;
    private readonly ParameterSet _set;
    private readonly int[] _counts;

    public DenseSlices(Collective ranks, ParameterSet set)
    {
        (_ranks, _set) = (ranks, set);
        _counts = [.. Enumerable.Range(0, ranks.Size).Select(rank => First(rank + 1) - First(rank))];
        (Begin, End) = (First(ranks.Rank), First(ranks.Rank + 1));
    }

    /// <summary>Gets the first parameter that this rank updates.</summary>
    public int Begin { get; }

    /// <summary>Gets the end of the parameters that this rank updates.</summary>
    public int End { get; }

    /// <summary>Gets the gradients of the slice.</summary>
    public Span<float> Gradients => _set.Gradients.AsSpan(Begin, End - Begin);

    /// <summary>Replaces the gradients of each rank's slice by their sums over all ranks.</summary>
    public void SumGradients() => _ranks.SumScatter(_set.Gradients, Gradients, _counts);

    /// <summary>Gives every rank the values that each has updated.</summary>
    public void GatherValues() => Gather(_set.Values);

    /// <summary>Gives every rank the moments that each has updated: for a snapshot.</summary>
    public void GatherMoments()
    {
        Gather(_set.FirstMoments);
        Gather(_set.SecondMoments);
    }

    private void Gather(float[] values) => _ranks.Gather<float>(values.AsSpan(Begin, End - Begin), values, _counts);

    private int First(int rank) => Workers.Begin(_set.Length, _ranks.Size, rank, Alignment);
}
