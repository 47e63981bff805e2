using Streaming.Kernels.Softmax;
using Xunit;

namespace Streaming.Learning.Tests.Golden;

public class GoldenSoftmaxTests
{
    public static TheoryData<string> Names => [.. GoldenVectors.Read().Softmax.Select(vector => vector.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Run_GoldenVector_MatchesPyTorch(string name)
    {
        GoldenSoftmax golden = GoldenVectors.Read().Softmax.Single(vector => vector.Name == name);
        int dimension = golden.Widths[^1],
            candidates = golden.Candidates.Length / dimension;
        float[] userGradients = new float[golden.Users.Length];
        float[] candidateGradients = new float[golden.GradientCandidates * dimension];
        double[] losses = new double[golden.Widths.Length];
        var softmax = new NestedSoftmax(golden.Widths, golden.PositiveColumn.Length, candidates);

        softmax.Run(
            new NestedSoftmaxProblem
            {
                Users = golden.Users,
                Candidates = golden.Candidates,
                CandidateIds = golden.Ids,
                LogQ = golden.LogQ,
                PositiveColumn = golden.PositiveColumn,
                RowWeights = golden.RowWeights,
                WidthWeights = golden.WidthWeights,
                GradientCandidates = golden.GradientCandidates,
                Temperature = golden.Temperature,
                Cosine = golden.Cosine,
                Correction = Enum.Parse<LogQCorrection>(golden.Correction),
                UserGradients = userGradients,
                CandidateGradients = candidateGradients,
                Losses = losses,
            }
        );

        Near.Equal("losses", golden.Losses, losses, 2e-6);
        Near.Equal("user gradients", golden.UserGradients, userGradients, 5e-6);
        Near.Equal("candidate gradients", golden.CandidateGradients, candidateGradients, 5e-6);
    }
}
