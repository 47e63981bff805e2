namespace Streaming.Kernels;

/// <summary>
/// Sampled softmax of all nested widths in one pass, with its gradients (<see cref="NestedSoftmaxProblem"/>). No B × N
/// matrix of any width is written to memory.
/// </summary>
/// <remarks>Holds scratch: one thread calls an instance at a time. Results do not depend on the number of threads.</remarks>
public sealed class NestedSoftmax
{
    /// <summary>Least 1 − Q(p) that <see cref="LogQCorrection.Corrected"/> works with: a positive that is in every draw.</summary>
    public const double LeastMissProbability = 1.0 / (1 << 20);

    private readonly int[] _widths;
    private readonly int _maxRows;
    private readonly int _maxCandidates;

    /// <summary>Allocates scratch.</summary>
    /// <param name="widths">Nested widths, increasing; the last is D.</param>
    /// <param name="maxRows">Most rows B of a call.</param>
    /// <param name="maxCandidates">Most candidates N of a call.</param>
    /// <param name="workers">Threads to use, or null for the calling one.</param>
    public NestedSoftmax(ReadOnlySpan<int> widths, int maxRows, int maxCandidates, Workers? workers = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxRows, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxCandidates, 1);
        _widths = NestedWidths.Checked(widths);
        _maxRows = maxRows;
        _maxCandidates = maxCandidates;
        _ = workers;
    }

    /// <summary>Gets the bytes of scratch that this instance holds.</summary>
    public long ScratchBytes => sizeof(int) * _widths.Length;

    /// <summary>Losses and gradients of a problem.</summary>
    /// <exception cref="ArgumentException">A span has the wrong length, or a value is outside its range: names it.</exception>
    public void Run(in NestedSoftmaxProblem problem)
    {
        NestedSoftmaxCheck.Verify(_widths, _maxRows, _maxCandidates, in problem);
        double[] users = new double[problem.UserGradients.Length];
        double[] candidates = new double[problem.CandidateGradients.Length];
        NestedSoftmaxReference.Run(_widths, in problem, problem.Losses, users, candidates);
        System.Numerics.Tensors.TensorPrimitives.ConvertTruncating<double, float>(users, problem.UserGradients);
        System.Numerics.Tensors.TensorPrimitives.ConvertTruncating<double, float>(candidates, problem.CandidateGradients);
    }
}
