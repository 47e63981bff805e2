using Streaming.Kernels.Norms;
using Streaming.Kernels.Panels;
using Streaming.Kernels.Parallel;
using Streaming.Kernels.Simd;
using Streaming.Kernels.Widths;

namespace Streaming.Kernels.Softmax;

/// <summary>
/// Sampled softmax of all nested widths, with its gradients (<see cref="NestedSoftmaxProblem"/>). Writes no B × N matrix of
/// any width to memory.
/// </summary>
/// <remarks>
/// Processes 32 rows at a time against tiles of 64 candidates. Scratch per thread is about 32·(2Σw + 64K) floats plus, while
/// that is at most 4 MB, 32 per candidate and width from 32 up (<see cref="KeptExponentials"/>); shared memory is 3·K·B
/// floats, an integer per candidate and, from the first call with cosines on, K·(B + N) floats. One thread at a time may use
/// an instance. Results do not depend on the number of threads.
/// </remarks>
public sealed class NestedSoftmax
{
    /// <summary>Lower bound of 1 − Q(p) in <see cref="LogQCorrection.Corrected"/>, for a positive that is in every draw.</summary>
    public const double LeastMissProbability = 1.0 / (1 << 20);

    private const int Lanes = PanelLayout.Lanes;

    private readonly int[] _widths;
    private readonly int _maxRows;
    private readonly int _maxCandidates;
    private readonly Workers? _workers;
    private readonly SoftmaxScratch[] _scratch;
    private readonly HitIndex _hits;
    private readonly float[] _rowValues;
    private readonly double[] _panelLosses;
    private float[] _scales = [];

    /// <summary>Allocates scratch.</summary>
    /// <param name="widths">Nested widths, increasing; the last is D.</param>
    /// <param name="maxRows">Maximum rows B per call.</param>
    /// <param name="maxCandidates">Maximum candidates N per call.</param>
    /// <param name="workers">Threads to use; null runs on the calling thread.</param>
    public NestedSoftmax(ReadOnlySpan<int> widths, int maxRows, int maxCandidates, Workers? workers = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxRows, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxCandidates, 1);
        _widths = NestedWidths.Checked(widths);
        _maxRows = maxRows;
        _maxCandidates = maxCandidates;
        _workers = workers;
        _hits = new HitIndex(maxRows, maxCandidates);
        _rowValues = new float[3 * _widths.Length * maxRows];
        _panelLosses = new double[(maxRows + Lanes - 1) / Lanes * _widths.Length];
        _scratch = new SoftmaxScratch[workers?.Threads ?? 1];
        for (int i = 0; i < _scratch.Length; i++)
        {
            _scratch[i] = new SoftmaxScratch(_widths, maxRows, maxCandidates);
        }
    }

    /// <summary>Gets the size of this instance's scratch memory in bytes.</summary>
    public long ScratchBytes
    {
        get
        {
            long bytes =
                _hits.Bytes + sizeof(float) * ((long)_rowValues.Length + _scales.Length) + sizeof(double) * (long)_panelLosses.Length;
            foreach (SoftmaxScratch scratch in _scratch)
            {
                bytes += scratch.Bytes;
            }

            return bytes;
        }
    }

    /// <summary>Multiply-adds per row and candidate: D for their scores, plus those of the row's gradient.</summary>
    /// <param name="candidates">N of a call.</param>
    public int MultiplyAdds(int candidates)
    {
        int first = _scratch[0].Kept.First(candidates),
            sum = _widths[^1];
        for (int k = 0; k < first; k++)
        {
            sum += _widths[k];
        }

        return first < _widths.Length ? sum + _widths[^1] : sum;
    }

    /// <summary>Computes losses and gradients of a problem.</summary>
    /// <exception cref="ArgumentException">A span has the wrong length, or a value is out of range; the message names it.</exception>
    public void Run(in NestedSoftmaxProblem problem)
    {
        NestedSoftmaxCheck.Verify(_widths, _maxRows, _maxCandidates, in problem);
        if (Simd512.IsSupported)
        {
            Run<Simd512>(in problem);
        }
        else if (Simd256.IsSupported)
        {
            Run<Simd256>(in problem);
        }
        else if (Simd128.IsSupported)
        {
            Run<Simd128>(in problem);
        }
        else
        {
            Run<SimdScalar>(in problem);
        }
    }

    private void Run<T>(in NestedSoftmaxProblem problem)
        where T : struct, ISimd<T>
    {
        SoftmaxJob job = CreateJob(in problem);
        _hits.Build(in problem, job.Candidates);
        if (problem.Cosine)
        {
            SetScales(ref job);
        }

        Workers.RunOn(
            _workers,
            (job.Rows + Lanes - 1) / Lanes,
            ref job,
            static (ref SoftmaxJob job, int part, int worker) => RowPanel<T>.Run(ref job, part, job.Scratch[worker])
        );
        Workers.RunOn(
            _workers,
            (problem.GradientCandidates + Lanes - 1) / Lanes,
            ref job,
            static (ref SoftmaxJob job, int part, int worker) => ColumnPanel<T>.Run(ref job, part, job.Scratch[worker])
        );
        SumLosses(ref job);
    }

    private SoftmaxJob CreateJob(in NestedSoftmaxProblem problem)
    {
        int rows = problem.PositiveColumn.Length,
            each = _widths.Length * rows;
        int candidates = problem.Candidates.Length / _widths[^1];
        double rowWeight = problem.TotalWeight > 0 ? problem.TotalWeight : Sum(problem.RowWeights);
        return new SoftmaxJob
        {
            Problem = problem,
            Widths = _widths,
            Scratch = _scratch,
            Hits = _hits,
            Rows = rows,
            Candidates = candidates,
            FirstKept = _scratch[0].Kept.First(candidates),
            RowShare = rowWeight > 0 ? 1 / rowWeight : 0,
            WidthShare = 1 / Sum(problem.WidthWeights),
            PositiveScores = _rowValues.AsSpan(0, each),
            RowCoefficients = _rowValues.AsSpan(each, each),
            RowNormalisers = _rowValues.AsSpan(2 * each, each),
            PanelLosses = _panelLosses,
        };
    }

    private void SetScales(ref SoftmaxJob job)
    {
        if (_scales.Length == 0)
        {
            _scales = new float[_widths.Length * (_maxRows + _maxCandidates)];
        }

        job.UserScales = _scales.AsSpan(0, _widths.Length * job.Rows);
        job.CandidateScales = _scales.AsSpan(_widths.Length * job.Rows, _widths.Length * job.Candidates);
        InverseNorms.ComputeNested(job.Problem.Users, _widths, job.UserScales, _workers);
        InverseNorms.ComputeNested(job.Problem.Candidates, _widths, job.CandidateScales, _workers);
    }

    private void SumLosses(ref SoftmaxJob job)
    {
        job.Problem.Losses.Clear();
        for (int panel = 0; panel < (job.Rows + Lanes - 1) / Lanes; panel++)
        {
            for (int k = 0; k < _widths.Length; k++)
            {
                job.Problem.Losses[k] += _panelLosses[panel * _widths.Length + k];
            }
        }
    }

    private static double Sum(ReadOnlySpan<float> values)
    {
        double sum = 0;
        foreach (float value in values)
        {
            sum += value;
        }

        return sum;
    }
}
