using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Softmax;

/// <summary>One nested sampled softmax on the device, the tensors of a
/// <see cref="Streaming.Kernels.Softmax.NestedSoftmaxProblem"/>.</summary>
/// <param name="Users">[B × D] user vectors.</param>
/// <param name="Own">The step's candidates, with gradient: first the positive of each row, then further negatives.</param>
/// <param name="FirstNegative">First own candidate scored for every row: 0, or B if positives are not negatives of other rows.</param>
/// <param name="Bank">Segments of the memory bank, without gradient.</param>
/// <param name="Shares">[B] float64: each row's weight over the sum of all.</param>
internal sealed record SoftmaxProblem(
    Tensor Users,
    CandidateBlock Own,
    long FirstNegative,
    IReadOnlyList<CandidateBlock> Bank,
    Tensor Shares
)
{
    /// <summary>Gets the number of rows, B.</summary>
    public long Rows => Shares.shape[0];

    /// <summary>Gets the number of candidates that each row is scored against, N.</summary>
    public long Candidates => Own.Count - FirstNegative + Bank.Sum(block => block.Count);

    /// <summary>Gets the own candidates that every row is scored against.</summary>
    public CandidateBlock OwnNegatives => Own.Slice(FirstNegative, Own.Count - FirstNegative);

    /// <summary>Candidates start … start + count − 1 of all that rows are scored against, in the caller's dispose scope.</summary>
    /// <remarks>Spans the boundaries of ring and step: each chunk costs the same launches, however few its candidates.</remarks>
    public CandidateBlock Slice(long start, long count)
    {
        var parts = new List<CandidateBlock>();
        foreach (CandidateBlock block in Bank.Append(OwnNegatives))
        {
            long from = Math.Clamp(start, 0, block.Count),
                to = Math.Clamp(start + count, 0, block.Count);
            if (to > from)
            {
                parts.Add(block.Slice(from, to - from));
            }

            start -= block.Count;
        }

        return CandidateBlock.Join(parts);
    }
}
