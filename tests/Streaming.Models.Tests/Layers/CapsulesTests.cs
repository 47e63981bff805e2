using Streaming.Models.Layers;
using Xunit;

namespace Streaming.Models.Tests.Layers;

public sealed class CapsulesTests
{
    private const int Interests = 3;
    private const int Positions = 8;
    private static readonly int[] Widths = [4, 12];

    [Theory]
    [InlineData(1, 1)]
    [InlineData(3, 5)]
    [InlineData(4, 8)]
    public void Forward_AnyRounds_IsThatOfTheReference(int rounds, int steps)
    {
        var c = Case.Of(steps);

        c.Forward(rounds);

        Assert.All(Reference(c, Widths, rounds).Zip(c.Capsules), pair => Assert.Equal(pair.First, pair.Second, 1e-5));
    }

    [Fact]
    public void Forward_RoutingWeights_AreSharesOfEachStepAndWidth()
    {
        var c = Case.Of(6);

        c.Forward(3);

        Assert.All(c.Weights.Chunk(Interests), shares => Assert.Equal(1, shares.Sum(), 1e-5));
        Assert.All(c.Weights, weight => Assert.InRange(weight, 0, 1));
    }

    /// <summary>A prefix of every interest is that of a narrower model.</summary>
    [Fact]
    public void Forward_NarrowerModel_GivesThePrefix()
    {
        var wide = Case.Of(5);
        wide.Forward(3);
        float[] votes = [.. Enumerable.Range(0, 5).SelectMany(t => wide.Votes.Skip(t * 12).Take(4))];
        float[] capsules = new float[Interests * 4];

        new Capsules(new Increments([4]), Interests, 3).Forward(
            votes,
            wide.Logits,
            5,
            new float[5 * Interests],
            new float[5 * Interests],
            new float[Interests * 4],
            capsules
        );

        Assert.All(
            Enumerable.Range(0, Interests),
            j => Assert.Equal(wide.Capsules[(j * 12)..((j * 12) + 4)], capsules[(j * 4)..((j * 4) + 4)])
        );
    }

    [Fact]
    public void Forward_NoVotes_LeavesEmptyInterests()
    {
        var c = Case.Of(4);
        c.Votes.AsSpan().Clear();

        c.Forward(3);

        Assert.All(c.Capsules, value => Assert.Equal(0, value));
    }

    /// <summary>With one round the routing weights do not depend on the votes, so that constants of the backward pass are exact.</summary>
    [Fact]
    public void Backward_OneRound_IsThatOfDifferences()
    {
        var c = Case.Of(5);
        float[] by = Gradients.Values(new Random(8), c.Capsules.Length),
            gradients = [.. by];
        c.Forward(1);
        float[] votes = new float[c.Votes.Length];

        c.Create(1).Backward(c.Weights, c.Sums, gradients, 5, votes);

        Gradients.Check(
            "votes",
            c.Votes,
            0,
            votes,
            () =>
            {
                c.Forward(1);
                return Gradients.Loss(c.Capsules, by);
            }
        );
    }

    private static double[] Reference(Case c, int[] widths, int rounds)
    {
        int d = widths[^1],
            k = widths.Length;
        double[,,] agreements = new double[c.Steps, k, Interests];
        double[] capsules = new double[Interests * d];
        for (int round = 0; round < rounds; round++)
        {
            double[] sums = new double[Interests * d];
            for (int t = 0; t < c.Steps; t++)
            {
                double[] agreed = new double[Interests];
                for (int j = 0; j < Interests; j++)
                {
                    agreed[j] = c.Logits[(j * Positions) + c.Steps - 1 - t];
                }

                for (int w = 0; w < k; w++)
                {
                    for (int j = 0; j < Interests; j++)
                    {
                        agreed[j] += agreements[t, w, j];
                    }

                    double total = agreed.Sum(Math.Exp);
                    for (int i = w == 0 ? 0 : widths[w - 1]; i < widths[w]; i++)
                    {
                        for (int j = 0; j < Interests; j++)
                        {
                            sums[(j * d) + i] += Math.Exp(agreed[j]) / total * c.Votes[(t * d) + i];
                        }
                    }
                }
            }

            for (int j = 0; j < Interests; j++)
            {
                for (int w = 0; w < k; w++)
                {
                    double square = Enumerable.Range(0, widths[w]).Sum(i => sums[(j * d) + i] * sums[(j * d) + i]);
                    for (int i = w == 0 ? 0 : widths[w - 1]; i < widths[w]; i++)
                    {
                        capsules[(j * d) + i] = Math.Sqrt(square) / (1 + square) * sums[(j * d) + i];
                        for (int t = 0; t < c.Steps; t++)
                        {
                            agreements[t, w, j] += c.Votes[(t * d) + i] * capsules[(j * d) + i];
                        }
                    }
                }
            }
        }

        return capsules;
    }

    private sealed record Case(int Steps, float[] Votes, float[] Logits, float[] Weights, float[] Sums, float[] Capsules)
    {
        public static Case Of(int steps)
        {
            var random = new Random(steps);
            return new(
                steps,
                Gradients.Values(random, steps * 12),
                Gradients.Values(random, Interests * Positions),
                new float[steps * 2 * Interests],
                new float[Interests * 12],
                new float[Interests * 12]
            );
        }

        public Capsules Create(int rounds) => new(new Increments(Widths), Interests, rounds);

        public void Forward(int rounds) => Create(rounds).Forward(Votes, Logits, Steps, Weights, new float[Weights.Length], Sums, Capsules);
    }
}
