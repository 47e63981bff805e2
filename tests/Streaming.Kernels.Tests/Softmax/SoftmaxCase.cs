using Streaming.Kernels.Parallel;
using Streaming.Kernels.Softmax;
using Xunit;

namespace Streaming.Kernels.Tests.Softmax;

/// <summary>A nested softmax problem on the heap, with its outputs.</summary>
internal sealed class SoftmaxCase
{
    // Gradients that cancel to zero (one candidate, one dimension under a cosine) keep the rounding errors of their terms.
    private const double AbsoluteError = 3e-5;

    public int[] Widths = [];
    public float[] Users = [];
    public float[] Candidates = [];
    public int[] Ids = [];
    public float[] LogQ = [];
    public int[] Positives = [];
    public float[] RowWeights = [];
    public float[] WidthWeights = [];
    public int GradientCandidates;
    public float Temperature = 1f;
    public bool Cosine;
    public LogQCorrection Correction = LogQCorrection.Classic;
    public float[] UserGradients = [];
    public float[] CandidateGradients = [];
    public double[] Losses = [];

    public int Rows => Positives.Length;

    public int CandidateCount => Candidates.Length / Widths[^1];

    public static SoftmaxCase Random(
        int rows,
        int candidates,
        int gradientCandidates,
        int[] widths,
        int seed,
        int items = 50,
        double scale = 0.4
    )
    {
        Random random = new(seed);
        SoftmaxCase problem = new()
        {
            Widths = widths,
            Users = RandomFloats.Normal(rows * widths[^1], seed + 1, scale),
            Candidates = RandomFloats.Normal(candidates * widths[^1], seed + 2, scale),
            Ids = [.. Enumerable.Range(0, candidates).Select(_ => random.Next(items) - 1)],
            LogQ = [.. Enumerable.Range(0, candidates).Select(_ => (float)(-1 - (8 * random.NextDouble())))],
            Positives = [.. Enumerable.Range(0, rows).Select(_ => random.Next(gradientCandidates))],
            RowWeights = [.. Enumerable.Range(0, rows).Select(i => i % 7 == 3 ? 0f : 0.5f + random.NextSingle())],
            WidthWeights = [.. widths.Select((_, k) => k == 1 ? 0.25f : 1f + k)],
            GradientCandidates = gradientCandidates,
        };
        problem.AllocateOutputs();
        return problem;
    }

    public void AllocateOutputs()
    {
        UserGradients = new float[Users.Length];
        CandidateGradients = new float[GradientCandidates * Widths[^1]];
        Losses = new double[Widths.Length];
        Array.Fill(UserGradients, float.NaN);
        Array.Fill(CandidateGradients, float.NaN);
    }

    public NestedSoftmaxProblem Problem() =>
        new()
        {
            Users = Users,
            Candidates = Candidates,
            CandidateIds = Ids,
            LogQ = LogQ,
            PositiveColumn = Positives,
            RowWeights = RowWeights,
            WidthWeights = WidthWeights,
            GradientCandidates = GradientCandidates,
            Temperature = Temperature,
            Cosine = Cosine,
            Correction = Correction,
            UserGradients = UserGradients,
            CandidateGradients = CandidateGradients,
            Losses = Losses,
        };

    public SoftmaxCase Run(Workers? workers = null)
    {
        new NestedSoftmax(Widths, Rows, CandidateCount, workers).Run(Problem());
        return this;
    }

    public void AssertMatchesReference(double tolerance)
    {
        double[] losses = new double[Widths.Length];
        double[] users = new double[UserGradients.Length],
            candidates = new double[CandidateGradients.Length];
        NestedSoftmaxReference.Run(Widths, Problem(), losses, users, candidates);
        for (int k = 0; k < Widths.Length; k++)
        {
            Assert.True(
                Math.Abs(losses[k] - Losses[k]) <= (tolerance * Math.Abs(losses[k])) + 1e-6,
                $"loss of width {Widths[k]}: {Losses[k]}, expected {losses[k]}"
            );
        }

        Closeness.AssertClose(users, UserGradients, tolerance, "user gradients", AbsoluteError);
        Closeness.AssertClose(candidates, CandidateGradients, tolerance, "candidate gradients", AbsoluteError);
    }
}
