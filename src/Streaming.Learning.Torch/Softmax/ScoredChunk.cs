using Streaming.Kernels.Softmax;
using TorchSharp;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Softmax;

/// <summary>The logits of a chunk of candidates. Lives within the caller's dispose scope.</summary>
internal sealed class ScoredChunk
{
    private readonly Prefixes _users;
    private readonly CandidateBlock _block;
    private readonly float _scale;
    private readonly Tensor _bias;
    private readonly Tensor _hits;

    /// <summary>Computes what all widths share: biases and hits.</summary>
    /// <param name="users">Prefixes of the rows' users.</param>
    /// <param name="positiveRows">[B] the rows' own items.</param>
    /// <param name="block">The candidates.</param>
    /// <param name="candidates">Their prefixes.</param>
    /// <param name="temperature">τ.</param>
    /// <param name="correction">Whether to subtract ln q.</param>
    public ScoredChunk(
        Prefixes users,
        Tensor positiveRows,
        CandidateBlock block,
        Prefixes candidates,
        double temperature,
        LogQCorrection correction
    )
    {
        _users = users;
        _block = block;
        _scale = (float)(1 / temperature);
        Candidates = candidates;

        // The lowest float, not −∞: a row with nothing else keeps finite sums, and next to any other logit its weight is exactly 0.
        _bias =
            correction == LogQCorrection.None
                ? zeros_like(block.LogQ).masked_fill_(block.LogQ.isposinf(), float.MinValue)
                : block.LogQ.neg().clamp_min_(float.MinValue);

        // As indices. A mask would cost each width 9 bytes per score, on top of the 20 of its other passes; finding the indices costs
        // about 3 once, and a wait for their number.
        _hits = positiveRows.unsqueeze(1).eq(block.Rows.unsqueeze(0)).view(-1).nonzero().squeeze(1);
    }

    /// <summary>Gets the prefixes of the candidates.</summary>
    public Prefixes Candidates { get; }

    /// <summary>Logits of width k [B × n]; those of a row's own item, positive or accidental hit, are the lowest float.</summary>
    /// <remarks>The bias is a vector, so that the product adds it while writing.</remarks>
    public Tensor Logits(int k)
    {
        Tensor logits = _bias.addmm(_users.Width(k), Candidates.Width(k).t(), 1, _scale);
        logits.view(-1).index_fill_(0, _hits, float.MinValue);
        return logits;
    }

    /// <summary>Adds the number of each row's negatives to counts [B], int64.</summary>
    public void CountNegatives(Tensor counts)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor present = _block.LogQ.lt(double.PositiveInfinity).to_type(ScalarType.Int64);
        counts.add_(present.sum());
        counts.index_add_(0, _hits.floor_divide(_block.Count), present.index_select(0, _hits.remainder(_block.Count)), -1);
    }
}
