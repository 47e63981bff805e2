using Streaming.Kernels.Softmax;

namespace Streaming.Kernels.Tests.Softmax;

/// <summary>
/// A straightforward nested sampled softmax in float64, one width, row and candidate at a time: the reference for
/// <see cref="NestedSoftmax"/>.
/// </summary>
internal static class NestedSoftmaxReference
{
    /// <summary>Added to the squared norm of a prefix before the root, so that a zero vector has cosine 0 with all.</summary>
    public const double NormEpsilon = 1e-12;

    public static void Run(
        ReadOnlySpan<int> widths,
        in NestedSoftmaxProblem problem,
        Span<double> losses,
        Span<double> userGradients,
        Span<double> candidateGradients
    )
    {
        losses.Clear();
        userGradients.Clear();
        candidateGradients.Clear();
        double totalWeight = 0,
            totalWidthWeight = 0;
        foreach (float weight in problem.RowWeights)
        {
            totalWeight += weight;
        }

        foreach (float weight in problem.WidthWeights)
        {
            totalWidthWeight += weight;
        }

        for (int k = 0; k < widths.Length && totalWeight > 0; k++)
        {
            for (int row = 0; row < problem.PositiveColumn.Length; row++)
            {
                double rowShare = problem.RowWeights[row] / totalWeight;
                double share = rowShare * problem.WidthWeights[k] / totalWidthWeight;
                losses[k] += rowShare * Row(in problem, widths, k, row, share, userGradients, candidateGradients);
            }
        }
    }

    private static double Row(
        in NestedSoftmaxProblem p,
        ReadOnlySpan<int> widths,
        int k,
        int row,
        double share,
        Span<double> userGradients,
        Span<double> candidateGradients
    )
    {
        int count = p.Candidates.Length / widths[^1];
        int positive = p.PositiveColumn[row];
        double[] scores = new double[count];
        double[] logits = new double[count];
        double maximum = double.NegativeInfinity;
        int negatives = 0;
        for (int j = 0; j < count; j++)
        {
            scores[j] = Score(in p, widths, k, row, j) / p.Temperature;
            bool masked = j != positive && Masked(in p, positive, j);
            bool inSum = !masked && (j != positive || p.Correction != LogQCorrection.Corrected);
            double correction = p.Correction == LogQCorrection.None ? 0 : p.LogQ[j];
            logits[j] = inSum ? scores[j] - correction : double.NegativeInfinity;
            maximum = Math.Max(maximum, logits[j]);
            negatives += inSum && j != positive ? 1 : 0;
        }

        double sum = 0;
        for (int j = 0; j < count && maximum > double.NegativeInfinity; j++)
        {
            sum += Math.Exp(logits[j] - maximum);
        }

        double logSum = maximum + Math.Log(sum);
        double loss = logSum - logits[positive];
        double weight = 1;
        if (p.Correction == LogQCorrection.Corrected)
        {
            if (negatives == 0)
            {
                return 0;
            }

            double miss = Math.Max(1 - Math.Exp(p.LogQ[positive]), NestedSoftmax.LeastMissProbability);
            double gap = logSum + Math.Log(miss) - scores[positive];
            weight = 1 / (1 + Math.Exp(Math.Log(negatives) - gap));
            loss = weight * gap;
        }

        for (int j = 0; j < count; j++)
        {
            double gradient = (double.IsNegativeInfinity(logits[j]) ? 0 : Math.Exp(logits[j] - logSum)) - (j == positive ? 1 : 0);
            if (gradient != 0)
            {
                Propagate(in p, widths, k, row, j, share * weight * gradient / p.Temperature, userGradients, candidateGradients);
            }
        }

        return loss;
    }

    private static bool Masked(in NestedSoftmaxProblem p, int positive, int candidate) =>
        !p.CandidateIds.IsEmpty && p.CandidateIds[positive] >= 0 && p.CandidateIds[candidate] == p.CandidateIds[positive];

    private static double Score(in NestedSoftmaxProblem p, ReadOnlySpan<int> widths, int k, int row, int candidate)
    {
        double dot = 0;
        for (int d = 0; d < widths[k]; d++)
        {
            dot += (double)p.Users[row * widths[^1] + d] * p.Candidates[candidate * widths[^1] + d];
        }

        return p.Cosine
            ? dot * InverseNorm(p.Users, row * widths[^1], widths[k]) * InverseNorm(p.Candidates, candidate * widths[^1], widths[k])
            : dot;
    }

    private static double InverseNorm(ReadOnlySpan<float> values, int begin, int width)
    {
        double sum = NormEpsilon;
        for (int d = 0; d < width; d++)
        {
            sum += (double)values[begin + d] * values[begin + d];
        }

        return 1 / Math.Sqrt(sum);
    }

    private static void Propagate(
        in NestedSoftmaxProblem p,
        ReadOnlySpan<int> widths,
        int k,
        int row,
        int candidate,
        double gradient,
        Span<double> userGradients,
        Span<double> candidateGradients
    )
    {
        int dimension = widths[^1],
            u = row * dimension,
            c = candidate * dimension;
        double cosine = 0,
            nu = 1,
            nc = 1;
        if (p.Cosine)
        {
            cosine = Score(in p, widths, k, row, candidate);
            nu = InverseNorm(p.Users, u, widths[k]);
            nc = InverseNorm(p.Candidates, c, widths[k]);
        }

        for (int d = 0; d < widths[k]; d++)
        {
            userGradients[u + d] += gradient * (p.Candidates[c + d] * nu * nc - cosine * nu * nu * p.Users[u + d]);
            if (candidate < p.GradientCandidates)
            {
                candidateGradients[c + d] += gradient * (p.Users[u + d] * nu * nc - cosine * nc * nc * p.Candidates[c + d]);
            }
        }
    }
}
