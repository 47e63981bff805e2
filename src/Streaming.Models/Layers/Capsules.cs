using System.Numerics.Tensors;

namespace Streaming.Models.Layers;

/// <summary>
/// Dynamic routing of a history to several interests [MIND, algorithm 1], nested: increment k is routed by the agreement on
/// the prefix up to w_k, the sum of the agreements of the increments up to k, and squashed by the length of the prefix up to
/// w_k. A prefix of every interest is thus that of a narrower model.
/// </summary>
/// <remarks>The backward pass treats routing weights as constants, as in the published code.</remarks>
internal sealed class Capsules(Increments widths, int interests, int iterations)
{
    // Keeps the square root differentiable at an empty interest.
    private const float Epsilon = 1e-9f;
    private readonly int _d = widths.Dimension;

    /// <summary>Gets the number of routing weights per step.</summary>
    public int WeightsPerStep => widths.Count * interests;

    /// <summary>Interests of one history.</summary>
    /// <param name="votes">[steps × D], the mapped inputs.</param>
    /// <param name="logits">[interests × positions] initial routing logits, by distance from the newest step.</param>
    /// <param name="steps">Length of the history, including the start step.</param>
    /// <param name="weights">Out: [steps × K × interests] routing weights of the last iteration.</param>
    /// <param name="agreements">Temporary [steps × K × interests].</param>
    /// <param name="sums">Out: [interests × D] before squashing.</param>
    /// <param name="capsules">Out: [interests × D].</param>
    public void Forward(
        ReadOnlySpan<float> votes,
        ReadOnlySpan<float> logits,
        int steps,
        Span<float> weights,
        Span<float> agreements,
        Span<float> sums,
        Span<float> capsules
    )
    {
        agreements[..(steps * WeightsPerStep)].Clear();
        for (int round = 0; round < iterations; round++)
        {
            Weigh(logits, steps, agreements, weights);
            Sum(votes, steps, weights, sums);
            for (int j = 0; j < interests; j++)
            {
                Squash(sums.Slice(j * _d, _d), capsules.Slice(j * _d, _d));
            }

            if (round + 1 < iterations)
            {
                Agree(votes, steps, capsules, agreements);
            }
        }
    }

    /// <summary>Computes the gradient with respect to the votes, overwriting it.</summary>
    /// <param name="weights">From the forward pass.</param>
    /// <param name="sums">From the forward pass.</param>
    /// <param name="gradients">[interests × D] with respect to the capsules; on return with respect to the sums.</param>
    /// <param name="steps">Length of the history.</param>
    /// <param name="voteGradients">Out: [steps × D].</param>
    public void Backward(ReadOnlySpan<float> weights, ReadOnlySpan<float> sums, Span<float> gradients, int steps, Span<float> voteGradients)
    {
        for (int j = 0; j < interests; j++)
        {
            SquashBackward(sums.Slice(j * _d, _d), gradients.Slice(j * _d, _d));
        }

        for (int t = 0; t < steps; t++)
        {
            for (int k = 0; k < widths.Count; k++)
            {
                int start = widths.Start(k),
                    n = widths.Length(k);
                Span<float> vote = voteGradients.Slice((t * _d) + start, n);
                vote.Clear();
                for (int j = 0; j < interests; j++)
                {
                    float weight = weights[(((t * widths.Count) + k) * interests) + j];
                    TensorPrimitives.MultiplyAdd(gradients.Slice((j * _d) + start, n), weight, vote, vote);
                }
            }
        }
    }

    // Softmax over interests, at each step and width.
    private void Weigh(ReadOnlySpan<float> logits, int steps, ReadOnlySpan<float> agreements, Span<float> weights)
    {
        int positions = logits.Length / interests;
        Span<float> agreed = stackalloc float[interests];
        for (int t = 0; t < steps; t++)
        {
            for (int j = 0; j < interests; j++)
            {
                agreed[j] = logits[(j * positions) + steps - 1 - t];
            }

            for (int k = 0; k < widths.Count; k++)
            {
                int at = ((t * widths.Count) + k) * interests;
                TensorPrimitives.Add(agreed, agreements.Slice(at, interests), agreed);
                TensorPrimitives.SoftMax(agreed, weights.Slice(at, interests));
            }
        }
    }

    private void Sum(ReadOnlySpan<float> votes, int steps, ReadOnlySpan<float> weights, Span<float> sums)
    {
        sums.Clear();
        for (int t = 0; t < steps; t++)
        {
            for (int k = 0; k < widths.Count; k++)
            {
                int start = widths.Start(k),
                    n = widths.Length(k);
                for (int j = 0; j < interests; j++)
                {
                    Span<float> sum = sums.Slice((j * _d) + start, n);
                    TensorPrimitives.MultiplyAdd(
                        votes.Slice((t * _d) + start, n),
                        weights[(((t * widths.Count) + k) * interests) + j],
                        sum,
                        sum
                    );
                }
            }
        }
    }

    private void Agree(ReadOnlySpan<float> votes, int steps, ReadOnlySpan<float> capsules, Span<float> agreements)
    {
        for (int t = 0; t < steps; t++)
        {
            for (int k = 0; k < widths.Count; k++)
            {
                int start = widths.Start(k),
                    n = widths.Length(k);
                for (int j = 0; j < interests; j++)
                {
                    agreements[(((t * widths.Count) + k) * interests) + j] += TensorPrimitives.Dot(
                        votes.Slice((t * _d) + start, n),
                        capsules.Slice((j * _d) + start, n)
                    );
                }
            }
        }
    }

    // c[inc k] = f(s_k) · z[inc k] with s_k = ‖z[:w_k]‖² and f(s) = √s / (1 + s).
    private void Squash(ReadOnlySpan<float> sum, Span<float> capsule)
    {
        float square = 0;
        for (int k = 0; k < widths.Count; k++)
        {
            ReadOnlySpan<float> part = sum.Slice(widths.Start(k), widths.Length(k));
            square += TensorPrimitives.SumOfSquares(part);
            TensorPrimitives.Multiply(part, MathF.Sqrt(square + Epsilon) / (1 + square), capsule.Slice(widths.Start(k), part.Length));
        }
    }

    private void SquashBackward(ReadOnlySpan<float> sum, Span<float> gradient)
    {
        Span<float> squares = stackalloc float[widths.Count];
        float square = 0;
        for (int k = 0; k < widths.Count; k++)
        {
            squares[k] = square += TensorPrimitives.SumOfSquares(sum.Slice(widths.Start(k), widths.Length(k)));
        }

        // From the last increment down: the length of every later increment includes this one.
        float through = 0;
        for (int k = widths.Count - 1; k >= 0; k--)
        {
            ReadOnlySpan<float> part = sum.Slice(widths.Start(k), widths.Length(k));
            Span<float> g = gradient.Slice(widths.Start(k), part.Length);
            float s = squares[k],
                root = MathF.Sqrt(s + Epsilon);
            float slope = (1 / (2 * root * (1 + s))) - (root / ((1 + s) * (1 + s)));
            through += slope * TensorPrimitives.Dot(g, part);
            TensorPrimitives.Multiply(g, root / (1 + s), g);
            TensorPrimitives.MultiplyAdd(part, 2 * through, g, g);
        }
    }
}
