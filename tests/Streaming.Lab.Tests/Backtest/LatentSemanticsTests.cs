using Streaming.Lab.Backtest;
using Xunit;

namespace Streaming.Lab.Tests.Backtest;

public class LatentSemanticsTests
{
    [Fact]
    public void Map_NoMoreFeaturesThanLength_KeepsThemAsTheyAre()
    {
        float[][] mapped = LatentSemantics.Map(
            [
                [(0, 2f), (2, 1f)],
                [(1, 3f)],
            ],
            features: 3,
            length: 4
        );

        Assert.Equal([2, 0, 1, 0], mapped[0]);
        Assert.Equal([0, 3, 0, 0], mapped[1]);
    }

    /// <summary>A matrix of rank 2 among 40 features: two directions keep every inner product, as no other two numbers can.</summary>
    [Fact]
    public void Map_MatrixOfLowRank_KeepsAllInnerProducts()
    {
        var random = new Random(3);
        float[][] basis =
        [
            .. Enumerable.Range(0, 2).Select(_ => Enumerable.Range(0, 40).Select(_ => (random.NextSingle() * 2) - 1).ToArray()),
        ];
        (int Feature, float Weight)[][] items =
        [
            .. Enumerable
                .Range(0, 15)
                .Select(_ =>
                {
                    float a = random.NextSingle() - 0.5f,
                        b = random.NextSingle() - 0.5f;
                    return Enumerable.Range(0, 40).Select(f => (f, (a * basis[0][f]) + (b * basis[1][f]))).ToArray();
                }),
        ];

        float[][] mapped = LatentSemantics.Map(items, features: 40, length: 4);

        for (int i = 0; i < items.Length; i++)
        {
            for (int j = 0; j <= i; j++)
            {
                double exact = Enumerable.Range(0, 40).Sum(f => (double)items[i][f].Weight * items[j][f].Weight);
                Assert.Equal(exact, mapped[i].Zip(mapped[j]).Sum(pair => (double)pair.First * pair.Second), 1e-3);
            }
        }
    }

    /// <summary>
    /// The directions are those in which the items differ most: no other map to as many numbers keeps more of their length.
    /// </summary>
    [Fact]
    public void Map_TwoStrongFeatures_AreKeptBeforeTheWeak()
    {
        (int, float)[][] items = [.. Enumerable.Range(0, 30).Select(i => new[] { (i % 2, 10f), (2 + (i % 18), 0.1f) })];

        float[][] mapped = LatentSemantics.Map(items, features: 20, length: 2);

        Assert.All(
            Enumerable.Range(0, 30),
            i =>
                Assert.All(
                    Enumerable.Range(0, 30),
                    j => Assert.Equal(i % 2 == j % 2 ? 100 : 0, mapped[i].Zip(mapped[j]).Sum(pair => pair.First * pair.Second), 1f)
                )
        );
    }

    [Fact]
    public void Map_SameItems_GivesTheSameNumbers()
    {
        (int, float)[][] items = [.. Enumerable.Range(0, 10).Select(i => new[] { (i, 1f), (i + 5, 2f) })];

        Assert.Equal(LatentSemantics.Map(items, 20, 3).SelectMany(row => row), LatentSemantics.Map(items, 20, 3).SelectMany(row => row));
    }
}
