namespace Streaming.Learning.Torch.Softmax;

/// <summary>Sampled softmax of all nested widths: torch's operations, or kernels that fuse them.</summary>
internal interface ISoftmaxLoss : IDisposable
{
    /// <summary>Gets each width's share of the total loss.</summary>
    IReadOnlyList<double> WidthShares { get; }

    /// <summary>Bytes that a candidate needs with a batch of <paramref name="rows"/> while it is processed.</summary>
    long BytesPerColumn(long rows);

    /// <summary>Computes losses and gradients. Call under <c>no_grad</c>.</summary>
    /// <param name="problem">The problem; shapes are checked.</param>
    /// <param name="columns">Maximum candidates at a time, 1 and up.</param>
    /// <param name="gradients">Which gradients to compute; the others are null.</param>
    SoftmaxResult Run(SoftmaxProblem problem, long columns, SoftmaxGradients gradients = SoftmaxGradients.All);
}
