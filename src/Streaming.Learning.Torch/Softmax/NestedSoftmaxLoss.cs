using Streaming.Kernels;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch;

/// <summary>
/// Sampled softmax of all nested widths with explicit gradients. The candidates pass in chunks: a first pass carries the
/// log-sum-exp of each row and width along, a second makes each chunk's scores again and its share of the gradients, so
/// that B × N × K numbers never exist at once (the recomputation of FlashAttention, arXiv 2205.14135, applied to a loss).
/// </summary>
/// <remarks>
/// A width's scores are those of the width before plus the product of the increment: all K widths cost the multiply-adds
/// of the last. The same on the way back: increment k takes part in every width from k on, so the widths' gradients are
/// suffix-summed first and multiplied once.
/// </remarks>
internal sealed class NestedSoftmaxLoss : IDisposable
{
    private readonly Increments _increments;
    private readonly double[] _widthShares;
    private readonly Tensor _deviceShares;
    private readonly double _temperature;
    private readonly bool _cosine;
    private readonly LogQCorrection _correction;

    /// <summary>Creates the loss of a model.</summary>
    public NestedSoftmaxLoss(ModelOptions model, Increments increments, Device device)
    {
        _increments = increments;
        double total = model.LossWeights.Sum(weight => (double)weight);
        _widthShares = [.. model.LossWeights.Select(weight => weight / total)];
        _deviceShares = tensor(_widthShares, dtype: ScalarType.Float64, device: device).DetachFromDisposeScope();
        _temperature = model.Temperature;
        _cosine = model.Cosine;
        _correction = model.Loss is LossKind.Full or LossKind.Uniform ? LogQCorrection.None : model.LogQ;
    }

    /// <summary>Bytes that a chunk needs for each of its columns with a batch of <paramref name="rows"/>.</summary>
    /// <remarks>A gradient matrix for each width, and at most four more at a time: sums, scores, a product, the mask.</remarks>
    public long BytesPerColumn(long rows) => rows * sizeof(float) * (_increments.Count + 4);

    /// <summary>Gets each width's share of the total loss.</summary>
    public IReadOnlyList<double> WidthShares => _widthShares;

    /// <summary>Losses and gradients. Called under <c>no_grad</c>.</summary>
    /// <param name="problem">Shapes are checked.</param>
    /// <param name="columns">Most candidates of a chunk, 1 and up.</param>
    public SoftmaxResult Run(SoftmaxProblem problem, long columns)
    {
        Shapes.Require(problem.Users, "users", problem.Rows, _increments.Dimension);
        Shapes.Require(problem.Own.Vectors, "candidates", problem.Own.Count, _increments.Dimension);
        var rows = new RowTerms(problem, _increments, _temperature, _cosine, _correction);
        var chunks = Chunks(problem, columns);
        foreach (var (block, _) in chunks)
        {
            using var scope = NewDisposeScope();
            Accumulate(rows, block);
        }

        rows.Close(problem.Shares, _deviceShares);
        var gradients = new SoftmaxGradients(rows, _increments, _cosine, problem.Own.Vectors);
        foreach (var (block, ownStart) in chunks)
        {
            using var scope = NewDisposeScope();
            Propagate(rows, gradients, block, ownStart);
        }

        return gradients.Finish(rows.Losses);
    }

    /// <inheritdoc/>
    public void Dispose() => _deviceShares.Dispose();

    private static List<(CandidateBlock Block, long OwnStart)> Chunks(SoftmaxProblem problem, long columns)
    {
        var chunks = new List<(CandidateBlock, long)>();
        for (long start = problem.FirstNegative; start < problem.Own.Count; start += columns)
        {
            chunks.Add((problem.Own.Slice(start, Math.Min(columns, problem.Own.Count - start)), start));
        }

        foreach (var stretch in problem.Bank)
        {
            for (long start = 0; start < stretch.Count; start += columns)
            {
                chunks.Add((stretch.Slice(start, Math.Min(columns, stretch.Count - start)), -1));
            }
        }

        return chunks;
    }

    private void Accumulate(RowTerms rows, CandidateBlock block)
    {
        var scores = new ChunkScores(rows, block, _increments, _cosine);
        rows.CountMasked(scores.Masked, block);
        for (int k = 0; k < _increments.Count; k++)
        {
            using var scope = NewDisposeScope();
            rows.Add(k, Logits(rows, scores.Next(k), scores.Masked, block));
        }
    }

    private void Propagate(RowTerms rows, SoftmaxGradients gradients, CandidateBlock block, long ownStart)
    {
        var scores = new ChunkScores(rows, block, _increments, _cosine);
        var parts = new Tensor[_increments.Count];
        for (int k = 0; k < parts.Length; k++)
        {
            using var scope = NewDisposeScope();
            var score = scores.Next(k);
            var gradient = Logits(rows, score, scores.Masked, block).sub_(rows.LogSum(k).unsqueeze(1)).exp_().mul_(rows.Coefficient(k).unsqueeze(1));
            if (_cosine)
            {
                gradients.AddNormTerms(k, score.mul(gradient), ownStart);
                gradient.mul_(rows.InverseNorm(k).unsqueeze(1)).mul_(scores.InverseNorm(k).unsqueeze(0));
            }

            parts[k] = gradient.MoveToOuterDisposeScope();
        }

        for (int k = parts.Length - 1; k >= 0; k--)
        {
            if (k < parts.Length - 1)
            {
                parts[k].add_(parts[k + 1]);
                parts[k + 1].Dispose();
            }

            gradients.Add(k, parts[k], block.Vectors, ownStart);
        }
    }

    // A copy: the sums of the next width build on the scores.
    private Tensor Logits(RowTerms rows, Tensor scores, Tensor masked, CandidateBlock block)
    {
        var logits = _correction == LogQCorrection.None ? scores.clone() : scores.sub(block.LogQ.unsqueeze(0));
        if (_correction == LogQCorrection.Corrected)
        {
            logits.add_(rows.LogMiss.unsqueeze(1));
        }

        return logits.masked_fill_(masked, float.NegativeInfinity);
    }
}
