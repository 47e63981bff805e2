using TorchSharp;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Softmax;

/// <summary>
/// Softmax over candidates processed in chunks: for each row and width the running log-sum-exp, and the mean of the candidates under
/// the softmax, which is all that the gradient with respect to the users needs (FlashAttention, arXiv 2205.14135, with the
/// candidates as keys and values).
/// </summary>
/// <remarks>Each width makes five passes over its scores: the product, two for the softmax, the maximum, the mean.</remarks>
internal sealed class RunningSoftmax
{
    public RunningSoftmax(Prefixes users)
    {
        Means = zeros_like(users.Values);
        LogSums = full(
            [users.Values.shape[0], users.Values.shape[1], 1],
            float.MinValue,
            dtype: ScalarType.Float32,
            device: users.Values.device
        );
    }

    /// <summary>Gets the log-sum-exp [K × B × 1]; the lowest float if there is nothing to sum.</summary>
    public Tensor LogSums { get; }

    /// <summary>Gets the means of the candidates' prefixes [K × B × D]; finite but meaningless if there is nothing to sum.</summary>
    public Tensor Means { get; }

    /// <summary>Adds a chunk.</summary>
    public void Add(ScoredChunk chunk)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor means = zeros_like(Means);
        var greatest = new Tensor[Means.shape[0]];
        var probabilities = new Tensor[greatest.Length];
        for (int k = 0; k < greatest.Length; k++)
        {
            (greatest[k], probabilities[k]) = Add(chunk, k, means);
        }

        // At the greatest logit the probability is 1 / Σ exp(logit − greatest), which cannot overflow or underflow.
        Tensor logSums = stack(greatest).sub_(stack(probabilities).log_());
        Means.lerp_(means, logSums.sub(LogSums).sigmoid_());
        LogSums.copy_(LogSums.logaddexp(logSums));
    }

    private static (Tensor Greatest, Tensor Probability) Add(ScoredChunk chunk, int k, Tensor means)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor logits = chunk.Logits(k);
        Tensor probabilities = logits.softmax(1);
        (Tensor? greatest, Tensor? places) = logits.max(1, keepdim: true);
        chunk.Candidates.Width(means, k).addmm_(probabilities, chunk.Candidates.Width(k), 0);
        return (greatest.MoveToOuterDisposeScope(), probabilities.gather(1, places).MoveToOuterDisposeScope());
    }
}
