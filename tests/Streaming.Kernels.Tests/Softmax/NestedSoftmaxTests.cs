using System.Numerics.Tensors;
using Streaming.Kernels.Parallel;
using Streaming.Kernels.Softmax;
using Xunit;

namespace Streaming.Kernels.Tests.Softmax;

public class NestedSoftmaxTests
{
    // Sums of thousands of float32 products against float64; the kernels' own error is below 2e-6 on such data.
    private const double Tolerance = 1e-5;

    public static TheoryData<int, int, int, int[]> Shapes =>
        new()
        {
            { 1, 1, 1, [4] },
            { 1, 2, 1, [1] },
            { 3, 5, 4, [4, 12, 20] },
            { 31, 63, 31, [8, 16, 32] },
            { 32, 64, 32, [8, 24] },
            { 33, 65, 33, [3, 7, 13] },
            { 64, 200, 64, [8, 16, 32, 64, 128] },
            { 50, 333, 333, [16, 64] },
            { 97, 129, 100, [5, 10, 15, 20, 25, 30, 35, 40] },
            { 40, 100, 40, [16] },
            { 7, 700, 7, [12, 36] },
            { 33, 129, 40, [8, 32, 50] },
            { 34, 65, 65, [32, 64] },
            // More candidates than exponentials are kept for.
            { 3, 16_500, 5, [8, 32, 64] },
        };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Run_AllCorrectionsAndScores_MatchFloat64(int rows, int candidates, int gradientCandidates, int[] widths)
    {
        foreach (LogQCorrection correction in Enum.GetValues<LogQCorrection>())
        {
            foreach (bool cosine in new[] { false, true })
            {
                var problem = SoftmaxCase.Random(rows, candidates, gradientCandidates, widths, seed: rows + candidates);
                problem.Correction = correction;
                problem.Cosine = cosine;
                problem.Temperature = cosine ? 0.1f : 0.7f;
                problem.Run().AssertMatchesReference(Tolerance);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Run_WithoutIds_MatchFloat64(int rows, int candidates, int gradientCandidates, int[] widths)
    {
        foreach (LogQCorrection correction in Enum.GetValues<LogQCorrection>())
        {
            var problem = SoftmaxCase.Random(rows, candidates, gradientCandidates, widths, seed: 5);
            problem.Correction = correction;
            problem.Ids = [];
            problem.Run().AssertMatchesReference(Tolerance);
        }
    }

    [Fact]
    public void Run_RandomShapes_MatchFloat64()
    {
        Random random = new(20);
        for (int round = 0; round < 60; round++)
        {
            int[] widths = RandomWidths(random);
            int candidates = 1 + random.Next(256);
            var problem = SoftmaxCase.Random(
                1 + random.Next(100),
                candidates,
                1 + random.Next(candidates),
                widths,
                seed: round,
                items: 2 + random.Next(100)
            );
            problem.Correction = (LogQCorrection)random.Next(3);
            problem.Cosine = random.Next(2) == 0;
            problem.Temperature = 0.05f + random.NextSingle();
            problem.Run().AssertMatchesReference(5 * Tolerance);
        }
    }

    [Theory]
    [InlineData(LogQCorrection.None, 16)]
    [InlineData(LogQCorrection.Classic, 16)]
    [InlineData(LogQCorrection.Corrected, 16)]
    [InlineData(LogQCorrection.Classic, 64)]
    public void Run_RivalFarAboveThePositive_IsRescued(LogQCorrection correction, int width)
    {
        var problem = SoftmaxCase.Random(40, 150, 40, [width / 2, width], seed: 3);
        problem.Correction = correction;

        // Row 5 scores candidate 120 at 100 nats above its positive, at both widths.
        Span<float> user = problem.Users.AsSpan(5 * width, width),
            rival = problem.Candidates.AsSpan(120 * width, width);
        user.Clear();
        rival.Clear();
        problem.Candidates.AsSpan(problem.Positives[5] * width, width).Clear();
        user[0] = 10;
        rival[0] = 10;
        problem.Ids[120] = 1000;
        problem.Run().AssertMatchesReference(Tolerance);
        Assert.All(problem.UserGradients, gradient => Assert.True(float.IsFinite(gradient)));
    }

    [Fact]
    public void Run_ColdTemperature_StaysCloseAndFinite()
    {
        foreach (bool cosine in new[] { false, true })
        {
            var problem = SoftmaxCase.Random(40, 100, 40, [16], seed: 4, scale: 1);
            problem.Temperature = 0.01f;
            problem.Cosine = cosine;

            // In float32, scores of about 1000 nats are only accurate to 1e-4 nats.
            problem.Run().AssertMatchesReference(1e-3);
        }
    }

    [Theory]
    [InlineData(LogQCorrection.None)]
    [InlineData(LogQCorrection.Classic)]
    [InlineData(LogQCorrection.Corrected)]
    public void Run_EveryCandidateIsThePositiveItem_LossAndGradientsAreZero(LogQCorrection correction)
    {
        var problem = SoftmaxCase.Random(35, 80, 35, [4, 12], seed: 6);
        problem.Correction = correction;
        Array.Fill(problem.Ids, 7);
        problem.Run();
        Assert.All(problem.Losses, loss => Assert.True(Math.Abs(loss) < 1e-6));
        Assert.All(problem.UserGradients, gradient => Assert.True(Math.Abs(gradient) < 1e-6));
        Assert.All(problem.CandidateGradients, gradient => Assert.True(Math.Abs(gradient) < 1e-6));
    }

    [Fact]
    public void Run_ManyAccidentalHits_MatchFloat64()
    {
        var problem = SoftmaxCase.Random(70, 300, 70, [8, 20], seed: 8, items: 4);
        problem.Run().AssertMatchesReference(Tolerance);
    }

    [Fact]
    public void Run_ZeroVectorsWithCosine_AreFinite()
    {
        var problem = SoftmaxCase.Random(40, 90, 40, [4, 12], seed: 9);
        problem.Cosine = true;
        problem.Users.AsSpan(0, 12).Clear();
        problem.Users.AsSpan(24, 4).Clear();
        problem.Candidates.AsSpan(0, 12).Clear();
        problem.Run();
        Assert.All(problem.Losses, loss => Assert.True(double.IsFinite(loss)));
        Assert.All(problem.UserGradients, gradient => Assert.True(float.IsFinite(gradient)));
        Assert.All(problem.CandidateGradients, gradient => Assert.True(float.IsFinite(gradient)));
    }

    [Fact]
    public void Run_AllRowWeightsZero_GivesZeros()
    {
        var problem = SoftmaxCase.Random(10, 20, 10, [4], seed: 10);
        Array.Clear(problem.RowWeights);
        problem.Run();
        Assert.All(problem.Losses, loss => Assert.Equal(0, loss));
        Assert.All(problem.UserGradients, gradient => Assert.Equal(0, gradient));
        Assert.All(problem.CandidateGradients, gradient => Assert.Equal(0, gradient));
    }

    [Theory]
    [InlineData(LogQCorrection.Classic)]
    [InlineData(LogQCorrection.Corrected)]
    public void Run_SharesOfABatch_AddUpToTheBatch(LogQCorrection correction)
    {
        var whole = SoftmaxCase.Random(50, 90, 60, [8, 16], seed: 4);
        whole.Correction = correction;
        var softmax = new NestedSoftmax(whole.Widths, 50, 90);
        softmax.Run(whole.Problem());
        float[] users = new float[50 * 16];
        float[] candidates = new float[60 * 16];
        double[] losses = new double[2];
        foreach (Range rows in new[] { new Range(0, 17), new Range(17, 50) })
        {
            NestedSoftmaxProblem share = whole.Problem();
            share.Users = share.Users[(rows.Start.Value * 16)..(rows.End.Value * 16)];
            share.PositiveColumn = share.PositiveColumn[rows];
            share.RowWeights = share.RowWeights[rows];
            share.TotalWeight = whole.RowWeights.Sum(weight => (double)weight);
            share.UserGradients = users.AsSpan((rows.Start.Value * 16)..(rows.End.Value * 16));
            share.CandidateGradients = new float[candidates.Length];
            share.Losses = new double[2];
            softmax.Run(share);
            TensorPrimitives.Add(candidates, share.CandidateGradients, candidates);
            TensorPrimitives.Add(losses, share.Losses, losses);
        }

        Assert.True(TensorPrimitives.Distance<float>(whole.UserGradients, users) <= 1e-6 * TensorPrimitives.Norm<float>(users));
        Assert.True(
            TensorPrimitives.Distance<float>(whole.CandidateGradients, candidates) <= 1e-6 * TensorPrimitives.Norm<float>(candidates)
        );
        Assert.All(whole.Losses.Zip(losses), pair => Assert.Equal(1, pair.Second / pair.First, 1e-12));
    }

    [Theory]
    [InlineData(-1.0)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void Run_TotalWeightOutOfRange_IsNamed(double weight)
    {
        var problem = SoftmaxCase.Random(3, 4, 4, [8], seed: 4);
        Assert.Contains(
            "TotalWeight",
            Assert
                .Throws<ArgumentException>(() =>
                {
                    NestedSoftmaxProblem share = problem.Problem();
                    share.TotalWeight = weight;
                    new NestedSoftmax([8], 3, 4).Run(share);
                })
                .Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Run_NotANumberInABankVector_ShowsInTheGradients()
    {
        var problem = SoftmaxCase.Random(10, 90, 10, [8], seed: 10);
        problem.Candidates[80 * 8] = float.NaN;
        problem.Run();
        Assert.Contains(problem.UserGradients, float.IsNaN);
    }

    [Fact]
    public void Run_ConstantAddedToAllLogQ_LeavesTheClassicLoss()
    {
        SoftmaxCase plain = SoftmaxCase.Random(64, 256, 64, [8, 16, 32], seed: 11).Run();
        var shifted = SoftmaxCase.Random(64, 256, 64, [8, 16, 32], seed: 11);
        for (int i = 0; i < shifted.LogQ.Length; i++)
        {
            shifted.LogQ[i] += 4f;
        }

        shifted.Run();
        for (int k = 0; k < 3; k++)
        {
            Assert.Equal(plain.Losses[k], shifted.Losses[k], 1e-5);
        }

        Closeness.AssertClose(Array.ConvertAll(plain.UserGradients, x => (double)x), shifted.UserGradients, 1e-5, "user gradients");
    }

    [Fact]
    public void Run_InfiniteLogQ_RemovesTheCandidate()
    {
        var with = SoftmaxCase.Random(20, 90, 20, [8, 12], seed: 12);
        Array.Fill(with.LogQ, float.PositiveInfinity, 80, 10);
        var without = SoftmaxCase.Random(20, 90, 20, [8, 12], seed: 12);
        without.Candidates = without.Candidates[..(80 * 12)];
        without.Ids = without.Ids[..80];
        without.LogQ = without.LogQ[..80];
        Assert.Equal(without.Run().UserGradients, with.Run().UserGradients);
        Assert.Equal(without.Losses, with.Losses);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Run_OneOrTwoThreads_GivesTheSameBits(bool cosine)
    {
        using Workers two = new(2);
        var one = SoftmaxCase.Random(200, 500, 200, [8, 16, 32], seed: 13);
        one.Cosine = cosine;
        one.Run();
        float[] users = one.UserGradients,
            candidates = one.CandidateGradients;
        double[] losses = one.Losses;
        for (int round = 0; round < 5; round++)
        {
            one.AllocateOutputs();
            one.Run(two);
            Assert.Equal(users, one.UserGradients);
            Assert.Equal(candidates, one.CandidateGradients);
            Assert.Equal(losses, one.Losses);
        }
    }

    [Fact]
    public void Run_WidthsRunAlone_EachHasTheLossOfTheNestedRun()
    {
        SoftmaxCase nested = SoftmaxCase.Random(33, 100, 33, [8, 16, 32], seed: 14).Run();
        for (int k = 0; k < 3; k++)
        {
            int width = nested.Widths[k];
            var alone = SoftmaxCase.Random(33, 100, 33, [8, 16, 32], seed: 14);
            alone.Widths = [width];
            alone.WidthWeights = [1];
            alone.Users = Prefixes(alone.Users, 32, width);
            alone.Candidates = Prefixes(alone.Candidates, 32, width);
            alone.AllocateOutputs();
            Assert.Equal(nested.Losses[k], alone.Run().Losses[0], 1e-9);
        }
    }

    [Fact]
    public void Run_SteadyState_AllocatesNothing()
    {
        using Workers workers = new(2);
        var problem = SoftmaxCase.Random(64, 200, 64, [8, 16], seed: 15);
        NestedSoftmax softmax = new(problem.Widths, 64, 200, workers);
        void Run()
        {
            for (int i = 0; i < 20; i++)
            {
                problem.Cosine = i % 2 == 0;
                softmax.Run(problem.Problem());
            }
        }

        Assert.Equal(0, Allocations.OfARun(Run));
    }

    [Theory]
    [InlineData(16_384, 8)]
    [InlineData(16_385, 0)]
    public void ScratchBytes_BelowOneMegabyteAndTheExponentialsThatAreKept(int candidates, int keptMegabytes)
    {
        using Workers workers = new(2);
        var problem = SoftmaxCase.Random(64, candidates, 64, [8, 16, 32, 64], seed: 17);
        NestedSoftmax softmax = new(problem.Widths, 64, candidates, workers);
        long kept = (long)keptMegabytes << 20;

        // A thread's scratch is allocated with the first part that it runs, and on a busy machine the caller may run them all.
        for (int i = 0; i < 100 && (i == 0 || softmax.ScratchBytes < kept); i++)
        {
            softmax.Run(problem.Problem());
        }

        Assert.InRange(softmax.ScratchBytes, kept, kept + 1_000_000);
    }

    [Fact]
    public void Run_PositiveOutsideTheGradientCandidates_IsNamed()
    {
        var problem = SoftmaxCase.Random(4, 10, 4, [4], seed: 16);
        problem.Positives[2] = 4;
        ArgumentException thrown = Assert.Throws<ArgumentException>(() => problem.Run());
        Assert.Equal("PositiveColumn contains 4; allowed: 0 … GradientCandidates − 1 = 3.", thrown.Message);
    }

    private static int[] RandomWidths(Random random)
    {
        int[] widths = new int[1 + random.Next(5)];
        int width = 0;
        for (int k = 0; k < widths.Length; k++)
        {
            width += 1 + random.Next(20);
            widths[k] = width;
        }

        return widths;
    }

    private static float[] Prefixes(float[] rows, int dimension, int width) => [.. rows.Chunk(dimension).SelectMany(row => row[..width])];
}
