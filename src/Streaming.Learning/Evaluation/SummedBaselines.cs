using System.Numerics.Tensors;

namespace Streaming.Learning.Evaluation;

/// <summary>The sum of two baselines, each normalised by its greatest score: item-kNN plus Markov is a strong pair.</summary>
/// <param name="name">Name for tables.</param>
/// <param name="first">The first baseline; updated only by this instance.</param>
/// <param name="second">The second baseline; updated only by this instance.</param>
public sealed class SummedBaselines(string name, StreamingBaseline first, StreamingBaseline second) : StreamingBaseline
{
    private double[] _other = [];

    /// <inheritdoc/>
    public override string Name => name;

    /// <inheritdoc/>
    protected internal override bool Knows(int item) => first.Knows(item);

    /// <inheritdoc/>
    protected internal override void Score(int user, ReadOnlySpan<int> history, Span<double> scores)
    {
        Span<double> other = _other.AsSpan(0, scores.Length);
        first.Score(user, history, scores);
        second.Score(user, history, other);
        OverGreatest(scores);
        OverGreatest(other);
        TensorPrimitives.Add(scores, other, scores);
    }

    /// <inheritdoc/>
    protected internal override void Learn(int user, ReadOnlySpan<int> history, int item)
    {
        first.Update(user, history, item);
        second.Update(user, history, item);
    }

    /// <inheritdoc/>
    protected internal override void GrowItems(int capacity) => Array.Resize(ref _other, capacity);

    private static void OverGreatest(Span<double> scores)
    {
        double greatest = scores.IsEmpty ? 0 : TensorPrimitives.Max(scores);
        if (greatest > 0)
        {
            TensorPrimitives.Multiply(scores, 1 / greatest, scores);
        }
    }
}
