using Streaming.Learning.Losses;
using Xunit;

namespace Streaming.Learning.Tests.Losses;

public sealed class CandidateMixtureTests
{
    private const int Trials = 40_000;

    /// <summary>Geometric: the first item is in half of the draws, the last in about one of 1,000.</summary>
    private static readonly double[] Frequencies = [.. Enumerable.Range(1, 10).Select(i => Math.Pow(0.5, i) / (1 - Math.Pow(0.5, 10)))];

    /// <summary>q · n against counts of simulated steps: a batch, a bank, uniform draws.</summary>
    [Theory]
    [InlineData(6, 0, 5)]
    [InlineData(6, 40, 0)]
    [InlineData(6, 40, 25)]
    [InlineData(2, 3, 200)]
    public void Mix_DrawsOfAllSources_IsTheMeanNumberOfOccurrences(int batch, int bank, int uniform)
    {
        double[] occurrences = Simulate(batch, uniform, random => Enumerable.Range(0, bank).Select(_ => Draw(random)));

        var mixture = new CandidateMixture(batch, bank, uniform, Frequencies.Length, Window: 0);

        AssertNear(occurrences, Mix(mixture), batch + bank + uniform);
    }

    /// <summary>A bank of the distinct items among the last T draws: an item counts once, however often it was drawn.</summary>
    [Theory]
    [InlineData(6, 30, 0)]
    [InlineData(6, 30, 25)]
    [InlineData(6, 2000, 5)]
    public void Mix_BankOfDistinctItems_IsTheMeanNumberOfOccurrences(int batch, int window, int uniform)
    {
        double held = 0;
        double[] occurrences = Simulate(
            batch,
            uniform,
            random =>
            {
                int[] items = [.. Enumerable.Range(0, window).Select(_ => Draw(random)).Distinct()];
                held += (double)items.Length / Simulated(window);
                return items;
            },
            Simulated(window)
        );

        var mixture = new CandidateMixture(batch, (int)Math.Round(held), uniform, Frequencies.Length, window);

        AssertNear(occurrences, Mix(mixture), batch + (int)Math.Round(held) + uniform);
    }

    /// <summary>Σ e^s / (n · q) over the candidates is on average Σ e^s over the catalogue: what the correction is for.</summary>
    [Fact]
    public void Mix_AsWeights_GivesAnUnbiasedSumOverTheCatalogue()
    {
        double[] scores = [.. Frequencies.Select((_, item) => Math.Sin(item) + (0.2 * item))];
        const int Batch = 5,
            Bank = 9,
            Uniform = 7;
        float[] logQ = Mix(new CandidateMixture(Batch, Bank, Uniform, Frequencies.Length, Window: 0));
        var random = new Random(5);
        double sum = 0;
        for (int trial = 0; trial < Trials; trial++)
        {
            for (int i = 0; i < Batch + Bank + Uniform; i++)
            {
                int item = i < Uniform ? random.Next(Frequencies.Length) : Draw(random);
                sum += Math.Exp(scores[item] - logQ[item]) / ((Batch + Bank + Uniform) * (double)Trials);
            }
        }

        double catalogue = scores.Sum(Math.Exp);
        Assert.Equal(catalogue, sum, 0.01 * catalogue);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(100)]
    [InlineData(10_000_000)]
    public void Mix_RareAndFrequentItems_IsExactInFloat(long window)
    {
        var mixture = new CandidateMixture(128, 8192, 1024, 50_000, window);
        float[] logP = [.. Enumerable.Range(0, 400).Select(i => -30f + (i * 0.075f))];
        float[] logQ = new float[logP.Length];

        mixture.Mix(logP, logQ);

        for (int i = 0; i < logP.Length; i++)
        {
            double p = Math.Exp(logP[i]);
            double bank = window == 0 ? 8192 * p : 1 - Math.Exp(-p * window);
            double q = ((128 * p) + bank + (1024 / 50_000.0)) / (128 + 8192 + 1024);
            Assert.Equal(Math.Log(q), logQ[i], 1e-5);
        }
    }

    [Theory]
    [InlineData(4, 8, 0, 100, 0, false)]
    [InlineData(4, 8, 2, 0, 0, false)]
    [InlineData(4, 0, 0, 100, 9, false)]
    [InlineData(4, 8, 2, 100, 0, true)]
    [InlineData(4, 8, 0, 0, 9, true)]
    public void Mixes_NothingButDrawsFromTheStream_IsFalse(int batch, int bank, int uniform, int items, long window, bool mixes) =>
        Assert.Equal(mixes, new CandidateMixture(batch, bank, uniform, items, window).Mixes);

    private static int Simulated(int window) => window > 100 ? Trials / 20 : Trials;

    private static double[] Simulate(int batch, int uniform, Func<Random, IEnumerable<int>> bank, int trials = Trials)
    {
        var random = new Random(1);
        double[] occurrences = new double[Frequencies.Length];
        for (int trial = 0; trial < trials; trial++)
        {
            IEnumerable<int> candidates = Enumerable
                .Range(0, batch)
                .Select(_ => Draw(random))
                .Concat(Enumerable.Range(0, uniform).Select(_ => random.Next(Frequencies.Length)))
                .Concat(bank(random));
            foreach (int item in candidates)
            {
                occurrences[item] += 1.0 / trials;
            }
        }

        return occurrences;
    }

    private static int Draw(Random random)
    {
        double left = random.NextDouble();
        for (int item = 0; ; item++)
        {
            left -= Frequencies[item];
            if (left < 0 || item == Frequencies.Length - 1)
            {
                return item;
            }
        }
    }

    private static float[] Mix(CandidateMixture mixture)
    {
        float[] logQ = new float[Frequencies.Length];
        mixture.Mix([.. Frequencies.Select(p => (float)Math.Log(p))], logQ);
        return logQ;
    }

    private static void AssertNear(double[] occurrences, float[] logQ, int candidates) =>
        Assert.All(occurrences, (mean, item) => Assert.Equal(mean, candidates * Math.Exp(logQ[item]), 0.02 + (0.02 * mean)));
}
