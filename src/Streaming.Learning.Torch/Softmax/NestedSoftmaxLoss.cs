using Streaming.Kernels.Softmax;
using Streaming.Learning.Torch.Devices;
using Streaming.Models.Layers;
using Streaming.Models.Options;
using TorchSharp;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Softmax;

/// <summary>
/// Sampled softmax of all nested widths with explicit gradients. Candidates are processed in chunks, so B × N values never exist at
/// once: the bank's once, the step's own twice, because their gradient needs the final sums.
/// </summary>
/// <remarks>
/// Both forms of the loss have the same gradient: with P⁻ the softmax over the negatives alone and m the probability of a mistake,
/// it is m · (P⁻ − e_p) with respect to the scores. The sums therefore exclude the positive, and every coefficient is per row: it
/// scales B × D values, never B × N.
/// </remarks>
internal sealed class NestedSoftmaxLoss : ISoftmaxLoss
{
    // A row of scores with fewer columns stays in shared memory (48 KiB) during its softmax: 2 passes instead of 4.
    private const long MostColumnsOnChip = 12_032;

    // With fewer rows a chunk of this few columns takes less time than its kernel launches.
    private const long RowsWorthAChunk = 1024;

    private readonly Increments _increments;
    private readonly PrefixSpace _prefixes;
    private readonly double[] _widthShares;
    private readonly Tensor _deviceShares;
    private readonly double _temperature;
    private readonly LogQCorrection _correction;

    /// <summary>Creates the loss of a model.</summary>
    public NestedSoftmaxLoss(ModelOptions model, Increments increments, Device device)
    {
        _increments = increments;
        _prefixes = new PrefixSpace(increments, model.Cosine, device);
        double total = model.LossWeights.Sum(weight => (double)weight);
        _widthShares = [.. model.LossWeights.Select(weight => weight / total)];
        _deviceShares = tensor(_widthShares, [increments.Count, 1, 1], dtype: ScalarType.Float64, device: device).DetachFromDisposeScope();
        _temperature = model.Temperature;
        _correction = Correction(model);
    }

    /// <inheritdoc/>
    /// <remarks>Logits, probabilities and the hit mask; the prefixes, their gradient and its intermediates.</remarks>
    public long BytesPerColumn(long rows) =>
        (rows * ((2 * sizeof(float)) + 1)) + (4L * _increments.Count * _increments.Dimension * sizeof(float));

    /// <inheritdoc/>
    public IReadOnlyList<double> WidthShares => _widthShares;

    /// <inheritdoc/>
    public SoftmaxResult Run(SoftmaxProblem problem, long columns, SoftmaxGradients gradients = SoftmaxGradients.All)
    {
        Shapes.Require(problem.Users, "users", problem.Rows, _increments.Dimension);
        Shapes.Require(problem.Own.Vectors, "candidates", problem.Own.Count, _increments.Dimension);
        using DisposeScope scope = NewDisposeScope();
        columns = problem.Rows < RowsWorthAChunk ? columns : Math.Min(columns, MostColumnsOnChip);
        Prefixes users = _prefixes.Of(problem.Users);
        Prefixes positives = _prefixes.Of(problem.Own.Vectors.narrow(0, 0, problem.Rows));
        (RunningSoftmax? softmax, Tensor? counts) = Sum(problem, users, columns);
        Tensor gap = softmax.LogSums.sub(PositiveLogits(problem, users, positives));
        (Tensor? losses, Tensor? mistakes) =
            _correction == LogQCorrection.Corrected ? Corrected(gap, counts) : (gap.softplus(), gap.sigmoid());
        Tensor shares = problem.Shares.unsqueeze(1);
        Tensor coefficients = mistakes.mul(shares.mul(_deviceShares)).div_(_temperature).to_type(ScalarType.Float32);
        Tensor? userGradient = null,
            candidateGradient = null;
        if (gradients.HasFlag(SoftmaxGradients.Users))
        {
            userGradient = users.Backward(softmax.Means.sub(positives.Values).mul_(coefficients));
        }

        if (gradients.HasFlag(SoftmaxGradients.Candidates))
        {
            Tensor pulls = users.Values.mul(coefficients);
            candidateGradient = CandidateGradient(problem, users, softmax.LogSums, pulls, columns);
            candidateGradient.narrow(0, 0, problem.Rows).sub_(positives.Backward(pulls));
        }

        return new SoftmaxResult(
            losses.to_type(ScalarType.Float64).mul_(shares).sum([1, 2]).MoveToOuterDisposeScope(),
            userGradient?.MoveToOuterDisposeScope(),
            candidateGradient?.MoveToOuterDisposeScope()
        );
    }

    /// <summary>The correction that a model's loss applies: none where negatives are not sampled from the stream.</summary>
    public static LogQCorrection Correction(ModelOptions model) =>
        model.Loss is LossKind.Full or LossKind.Uniform ? LogQCorrection.None : model.LogQ;

    /// <inheritdoc/>
    public void Dispose()
    {
        _prefixes.Dispose();
        _deviceShares.Dispose();
    }

    // Even chunks, in multiples of four: a last one of a few columns would cost the launches of a full one.
    private static IEnumerable<(long Start, long Count)> Chunks(long candidates, long columns)
    {
        long chunks = (candidates + columns - 1) / columns;
        long length = chunks == 0 ? 0 : Math.Min(columns, (((candidates + chunks - 1) / chunks) + 3) & ~3L);
        for (long start = 0; start < candidates; start += length)
        {
            yield return (start, Math.Min(length, candidates - start));
        }
    }

    // ℓ = m · gap with m = 1 − P̂ = 1 / (1 + e^{ln n − gap}) held constant. Without negatives the gap is the lowest float, so m and
    // ℓ are 0.
    private static (Tensor Losses, Tensor Mistakes) Corrected(Tensor gap, Tensor counts)
    {
        Tensor mistakes = gap.sub(counts.clamp_min(1).to_type(ScalarType.Float32).log_().unsqueeze(1)).sigmoid_();
        return (gap.mul(mistakes), mistakes);
    }

    private (RunningSoftmax Softmax, Tensor Counts) Sum(SoftmaxProblem problem, Prefixes users, long columns)
    {
        var softmax = new RunningSoftmax(users);
        Tensor counts = zeros(problem.Rows, dtype: ScalarType.Int64, device: problem.Users.device);
        foreach ((long start, long count) in Chunks(problem.Candidates, columns))
        {
            using DisposeScope scope = NewDisposeScope();
            ScoredChunk chunk = Score(problem, users, problem.Slice(start, count));
            softmax.Add(chunk);
            if (_correction == LogQCorrection.Corrected)
            {
                chunk.CountNegatives(counts);
            }
        }

        return (softmax, counts);
    }

    private ScoredChunk Score(SoftmaxProblem problem, Prefixes users, CandidateBlock block) =>
        new(users, problem.Own.Rows.narrow(0, 0, problem.Rows), block, _prefixes.Of(block.Vectors), _temperature, _correction);

    // Including the terms that the logits of the row's negatives omit. Classic: s − ln q on the positive too. Corrected: each
    // negative's logit has ln(1 − Q(p)) added, the same for the whole row. [K × B × 1]
    private Tensor PositiveLogits(SoftmaxProblem problem, Prefixes users, Prefixes positives)
    {
        Tensor scores = users.Values.mul(positives.Values).sum(2, keepdim: true).div_(_temperature);
        Tensor logQ = problem.Own.LogQ.narrow(0, 0, problem.Rows).unsqueeze(1);
        return _correction switch
        {
            LogQCorrection.None => scores,
            LogQCorrection.Classic => scores.sub_(logQ),
            _ => scores.sub_(
                logQ.to_type(ScalarType.Float64)
                    .expm1()
                    .neg_()
                    .clamp_min_(NestedSoftmax.LeastMissProbability)
                    .log_()
                    .to_type(ScalarType.Float32)
            ),
        };
    }

    private Tensor CandidateGradient(SoftmaxProblem problem, Prefixes users, Tensor logSums, Tensor pulls, long columns)
    {
        Tensor gradient = zeros_like(problem.Own.Vectors);
        CandidateBlock negatives = problem.OwnNegatives;
        foreach ((long start, long count) in Chunks(negatives.Count, columns))
        {
            using DisposeScope scope = NewDisposeScope();
            ScoredChunk chunk = Score(problem, users, negatives.Slice(start, count));
            Tensor parts = zeros_like(chunk.Candidates.Values);
            for (int k = 0; k < _increments.Count; k++)
            {
                using DisposeScope widthScope = NewDisposeScope();
                Tensor probabilities = chunk.Logits(k).sub_(logSums.select(0, k)).exp_();
                chunk.Candidates.Width(parts, k).addmm_(probabilities.t(), users.Width(pulls, k), 0);
            }

            gradient.narrow(0, problem.FirstNegative + start, count).copy_(chunk.Candidates.Backward(parts));
        }

        return gradient;
    }
}
