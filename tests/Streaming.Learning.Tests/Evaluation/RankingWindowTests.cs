using Streaming.Learning.Evaluation;
using Xunit;

namespace Streaming.Learning.Tests.Evaluation;

public sealed class RankingWindowTests
{
    /// <summary>Read after every example, and after many: always the metrics of the last ones alone.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(1000)]
    public void Read_AtAnyTime_IsTheMetricsOfTheLastExamples(int length)
    {
        var window = new RankingWindow([1, 10], length);
        List<TiedRank> all = [];
        var random = new Random(length);
        for (int i = 0; i < 200; i++)
        {
            all.Add(new TiedRank(random.Next(15), random.Next(3)));
            window.Add(all[^1]);
            if (random.Next(3) == 0)
            {
                RankingMetrics expected = Metrics(all.TakeLast(length));
                Assert.Equal(Math.Min(length, all.Count), window.Count);

                // The ring sums in another order than the list.
                Assert.Equal(expected.Recall(10), window.Read().Recall(10), 1e-12);
                Assert.Equal(expected.Recall(1), window.Read().Recall(1), 1e-12);
                Assert.Equal(expected.Ndcg(10), window.Read().Ndcg(10), 1e-12);
            }
        }
    }

    [Theory]
    [InlineData(3)]
    [InlineData(25)]
    public void Read_WhatWasWritten_ContinuesAsIfNeverStopped(int examples)
    {
        RankingWindow window = new([10], 10),
            other = new([10], 10);
        for (int i = 0; i < examples; i++)
        {
            window.Add(new TiedRank(i % 20, 0));
        }

        using var stream = new MemoryStream();
        window.Write(new BinaryWriter(stream));
        stream.Position = 0;
        other.Read(new BinaryReader(stream));

        for (int i = 0; i < 12; i++)
        {
            Assert.Equal((window.Count, window.Read().Ndcg(10)), (other.Count, other.Read().Ndcg(10)));
            window.Add(new TiedRank(i, 1));
            other.Add(new TiedRank(i, 1));
        }
    }

    [Fact]
    public void Constructor_NoExamples_Throws() => Assert.Throws<ArgumentOutOfRangeException>(() => new RankingWindow([10], 0));

    private static RankingMetrics Metrics(IEnumerable<TiedRank> ranks)
    {
        var metrics = new RankingMetrics([1, 10]);
        foreach (TiedRank rank in ranks)
        {
            metrics.Add(rank);
        }

        return metrics;
    }
}
