using Streaming.Learning.Losses;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Softmax;

/// <summary>A run of candidates: the step's own, or a segment of the bank's ring.</summary>
/// <param name="Vectors">[n × D] on the device.</param>
/// <param name="Rows">[n] item rows, int64; −1 matches none.</param>
/// <param name="LogQ">[n] ln q; +∞ excludes a candidate from every sum.</param>
internal readonly record struct CandidateBlock(Tensor Vectors, Tensor Rows, Tensor LogQ)
{
    /// <summary>Gets the number of candidates.</summary>
    public long Count => Rows.shape[0];

    /// <summary>Candidates start … start + count − 1, without a copy.</summary>
    public CandidateBlock Slice(long start, long count) =>
        new(Vectors.narrow(0, start, count), Rows.narrow(0, start, count), LogQ.narrow(0, start, count));

    /// <summary>The block with ln q of a mixture in place of ln p. +∞ stays +∞.</summary>
    public CandidateBlock Mixed(CandidateMixture mixture)
    {
        Tensor p = LogQ.exp();
        Tensor q = p.mul(mixture.DrawShare).add_(mixture.UniformPart);
        if (mixture.IsDistinct)
        {
            q.sub_(p.mul_(-mixture.Window).expm1_().mul_(mixture.BankShare));
        }

        return this with
        {
            LogQ = q.log_(),
        };
    }

    /// <summary>Concatenates blocks; copies only if there are several.</summary>
    public static CandidateBlock Join(IReadOnlyList<CandidateBlock> blocks) =>
        blocks.Count == 1
            ? blocks[0]
            : new(
                cat([.. blocks.Select(block => block.Vectors)], 0),
                cat([.. blocks.Select(block => block.Rows)], 0),
                cat([.. blocks.Select(block => block.LogQ)], 0)
            );
}
