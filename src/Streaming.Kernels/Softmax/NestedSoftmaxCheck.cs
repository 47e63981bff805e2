namespace Streaming.Kernels.Softmax;

/// <summary>Validates a problem before the kernels, which do not check bounds, use it.</summary>
internal static class NestedSoftmaxCheck
{
    public static void Verify(int[] widths, int maxRows, int maxCandidates, in NestedSoftmaxProblem p)
    {
        int dimension = widths[^1];
        int rows = p.PositiveColumn.Length;
        int candidates = p.Candidates.Length / dimension;
        AtMost(rows, maxRows, "rows");
        AtMost(candidates, maxCandidates, "candidates");
        Length(p.Users.Length, (long)rows * dimension, nameof(p.Users));
        Length(p.Candidates.Length, (long)candidates * dimension, nameof(p.Candidates));
        Length(p.RowWeights.Length, rows, nameof(p.RowWeights));
        Length(p.WidthWeights.Length, widths.Length, nameof(p.WidthWeights));
        Length(p.UserGradients.Length, p.Users.Length, nameof(p.UserGradients));
        AtMost(p.GradientCandidates, candidates, nameof(p.GradientCandidates));
        Length(p.CandidateGradients.Length, (long)p.GradientCandidates * dimension, nameof(p.CandidateGradients));
        Length(p.Losses.Length, widths.Length, nameof(p.Losses));
        if (!p.CandidateIds.IsEmpty)
        {
            Length(p.CandidateIds.Length, candidates, nameof(p.CandidateIds));
        }

        if (p.Correction != LogQCorrection.None)
        {
            Length(p.LogQ.Length, candidates, nameof(p.LogQ));
        }

        if (!(p.Temperature > 0) || !float.IsFinite(p.Temperature))
        {
            throw new ArgumentException($"Temperature is {p.Temperature}; allowed: finite and above 0.");
        }

        Weights(p.RowWeights, nameof(p.RowWeights));
        if (!(p.TotalWeight >= 0) || !double.IsFinite(p.TotalWeight))
        {
            throw new ArgumentException($"TotalWeight is {p.TotalWeight}; allowed: finite and 0 or above.");
        }

        if (Weights(p.WidthWeights, nameof(p.WidthWeights)) <= 0)
        {
            throw new ArgumentException("WidthWeights are all 0; at least one must be above 0.");
        }

        foreach (int column in p.PositiveColumn)
        {
            if ((uint)column >= (uint)p.GradientCandidates)
            {
                throw new ArgumentException(
                    $"PositiveColumn contains {column}; allowed: 0 … GradientCandidates − 1 = {p.GradientCandidates - 1}."
                );
            }
        }
    }

    private static double Weights(ReadOnlySpan<float> weights, string name)
    {
        double sum = 0;
        foreach (float weight in weights)
        {
            if (!(weight >= 0) || !float.IsFinite(weight))
            {
                throw new ArgumentException($"{name} contains {weight}; allowed: finite and 0 or above.");
            }

            sum += weight;
        }

        return sum;
    }

    private static void AtMost(int value, int most, string name)
    {
        if (value < 0 || value > most)
        {
            throw new ArgumentException($"{name} is {value}; allowed: 0 … {most}.");
        }
    }

    private static void Length(int length, long expected, string name)
    {
        if (length != expected)
        {
            throw new ArgumentException($"{name} has {length} values; expected: {expected}.");
        }
    }
}
