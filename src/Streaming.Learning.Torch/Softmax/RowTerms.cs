using Streaming.Kernels;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch;

/// <summary>
/// What a softmax keeps for each row and width: the positive's score, the log-sum-exp of the candidates so far, and after
/// <see cref="Close"/> the loss and the coefficients of the gradient.
/// </summary>
internal sealed class RowTerms
{
    private readonly Increments _increments;
    private readonly LogQCorrection _correction;
    private readonly bool _cosine;
    private readonly Tensor[] _inverseNorms;
    private readonly Tensor[] _positiveInverseNorms;
    private readonly Tensor _positiveScores;
    private readonly Tensor _positiveLogQ;
    private readonly Tensor _logSums;
    private readonly Tensor? _negatives;
    private Tensor? _losses;
    private Tensor? _coefficients;
    private Tensor? _positiveCoefficients;

    public RowTerms(SoftmaxProblem problem, Increments increments, double temperature, bool cosine, LogQCorrection correction)
    {
        _increments = increments;
        _correction = correction;
        _cosine = cosine;
        Temperature = temperature;
        Users = problem.Users;
        ScaledUsers = problem.Users.div(temperature);
        Positives = problem.Own.Vectors.narrow(0, 0, problem.Rows);
        PositiveRows = problem.Own.Rows.narrow(0, 0, problem.Rows);
        _positiveLogQ = problem.Own.LogQ.narrow(0, 0, problem.Rows);
        _inverseNorms = cosine ? PrefixNorms.Inverse(Users, increments) : [];
        _positiveInverseNorms = cosine ? PrefixNorms.Inverse(Positives, increments) : [];
        _positiveScores = ScorePositives();
        _logSums = full([increments.Count, Count], float.NegativeInfinity, dtype: ScalarType.Float32, device: Users.device);
        LogMiss = LogOfMiss();
        _negatives = correction == LogQCorrection.Corrected ? zeros(Count, dtype: ScalarType.Int64, device: Users.device) : null;
    }

    /// <summary>Gets the number of rows, B.</summary>
    public long Count => Users.shape[0];

    /// <summary>Gets τ.</summary>
    public double Temperature { get; }

    /// <summary>Gets the user vectors [B × D].</summary>
    public Tensor Users { get; }

    /// <summary>Gets the user vectors over τ [B × D].</summary>
    public Tensor ScaledUsers { get; }

    /// <summary>Gets the positives' vectors [B × D].</summary>
    public Tensor Positives { get; }

    /// <summary>Gets the positives' item rows [B].</summary>
    public Tensor PositiveRows { get; }

    /// <summary>Gets ln(1 − Q(p)) of each row [B], for the corrected form.</summary>
    public Tensor LogMiss { get; }

    /// <summary>Gets the loss of each width [K], float64, after <see cref="Close"/>.</summary>
    public Tensor Losses => _losses ?? throw new InvalidOperationException("The row terms are not closed.");

    /// <summary>1 / norm of the users' prefixes of width k [B].</summary>
    public Tensor InverseNorm(int k) => _inverseNorms[k];

    /// <summary>1 / norm of the positives' prefixes of width k [B].</summary>
    public Tensor PositiveInverseNorm(int k) => _positiveInverseNorms[k];

    /// <summary>Score of the positives at width k, without correction [B].</summary>
    public Tensor PositiveScore(int k) => _positiveScores.select(0, k);

    /// <summary>What the gradient of width k is normalised by [B].</summary>
    public Tensor LogSum(int k) => _logSums.select(0, k);

    /// <summary>∂total/∂logit of a negative at width k over its probability [B].</summary>
    public Tensor Coefficient(int k) => _coefficients!.select(0, k);

    /// <summary>∂total/∂score of the positive at width k [B].</summary>
    public Tensor PositiveCoefficient(int k) => _positiveCoefficients!.select(0, k);

    /// <summary>Counts the negatives of a chunk, where the loss depends on it.</summary>
    public void CountMasked(Tensor masked, CandidateBlock block)
    {
        if (_negatives is not null)
        {
            using var scope = NewDisposeScope();
            var present = block.LogQ.isposinf().logical_not_();
            _negatives.add_(masked.logical_not().logical_and_(present.unsqueeze(0)).sum(1));
        }
    }

    /// <summary>Takes the logits of a chunk into the log-sum-exp of width k.</summary>
    public void Add(int k, Tensor logits)
    {
        var carried = _logSums.select(0, k);
        carried.copy_(carried.logaddexp(logits.logsumexp(1)));
    }

    /// <summary>All candidates have passed: losses and coefficients.</summary>
    /// <param name="shares">[B] float64, each row's share of the loss.</param>
    /// <param name="widthShares">[K] float64, each width's share of the total.</param>
    public void Close(Tensor shares, Tensor widthShares)
    {
        using var scope = NewDisposeScope();
        var weights = shares.unsqueeze(0).mul(widthShares.unsqueeze(1));
        var (loss, coefficients, positiveCoefficients) = _correction == LogQCorrection.Corrected ? CloseCorrected() : CloseClassic();
        _losses = loss.to_type(ScalarType.Float64).mul_(shares.unsqueeze(0)).sum(1).MoveToOuterDisposeScope();
        _coefficients = weights.mul(coefficients).to_type(ScalarType.Float32).MoveToOuterDisposeScope();
        _positiveCoefficients = weights.mul(positiveCoefficients).to_type(ScalarType.Float32).MoveToOuterDisposeScope();
    }

    // The positive is in the sum. ℓ = ln Σ − s'(p); ∂ℓ/∂s'(p) = P(p) − 1.
    private (Tensor Loss, Tensor Coefficients, Tensor PositiveCoefficients) CloseClassic()
    {
        var positive = _correction == LogQCorrection.None ? _positiveScores : _positiveScores.sub(_positiveLogQ.unsqueeze(0));
        _logSums.copy_(_logSums.logaddexp(positive));
        var loss = _logSums.sub(positive);
        return (loss, ones_like(loss), loss.neg().expm1_());
    }

    // The positive is not in the sum: ℓ = r · gap, gap = ln Σ − s(p), r = 1 − P̂ = 1 / (1 + e^{ln n − gap}) held fixed.
    private (Tensor Loss, Tensor Coefficients, Tensor PositiveCoefficients) CloseCorrected()
    {
        var some = _negatives!.gt(0).unsqueeze(0);
        var gap = _logSums.sub(_positiveScores);
        var counts = _negatives.clamp_min(1).to_type(ScalarType.Float32).log_().unsqueeze(0);
        var missed = where(some, gap.sub(counts).sigmoid_(), zeros_like(gap));
        var loss = where(some, gap.mul(missed), zeros_like(gap));
        _logSums.copy_(where(some, _logSums, zeros_like(_logSums)));
        return (loss, missed, missed.neg());
    }

    private Tensor ScorePositives()
    {
        using var scope = NewDisposeScope();
        var scores = new Tensor[_increments.Count];
        Tensor? sum = null;
        for (int k = 0; k < scores.Length; k++)
        {
            int start = _increments.Start(k), length = _increments.Length(k);
            var part = ScaledUsers.narrow(1, start, length).mul(Positives.narrow(1, start, length)).sum(1);
            sum = sum is null ? part : sum.add(part);
            scores[k] = _cosine ? sum.mul(_inverseNorms[k]).mul_(_positiveInverseNorms[k]) : sum;
        }

        return stack(scores).MoveToOuterDisposeScope();
    }

    private Tensor LogOfMiss()
    {
        using var scope = NewDisposeScope();
        return _positiveLogQ.to_type(ScalarType.Float64).expm1().neg_().clamp_min(NestedSoftmax.LeastMissProbability).log_()
            .to_type(ScalarType.Float32).MoveToOuterDisposeScope();
    }
}
