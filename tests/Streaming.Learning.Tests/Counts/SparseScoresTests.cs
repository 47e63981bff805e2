using Streaming.Learning.Counts;
using Streaming.Learning.Evaluation;
using Xunit;

namespace Streaming.Learning.Tests.Counts;

public class SparseScoresTests
{
    [Fact]
    public void Add_RandomScores_AgreesWithADictionary()
    {
        var scores = new SparseScores(2000);
        var random = new Random(1);
        for (int round = 0; round < 4; round++)
        {
            scores.Clear();
            Dictionary<int, float> expected = [];
            for (int i = 0; i < 1500; i++)
            {
                (int row, float score) = (random.Next(2000), random.Next(-2, 5));
                scores.Add(row, score);
                if (score > 0)
                {
                    expected[row] = expected.GetValueOrDefault(row) + score;
                }
            }

            Assert.Equal(expected.Keys, scores.Rows.ToArray());
            Assert.All(Enumerable.Range(0, 2000), row => Assert.Equal(expected.GetValueOrDefault(row), scores[row]));
        }
    }

    [Fact]
    public void Add_NotANumber_IsNoScore()
    {
        var scores = new SparseScores(4);

        scores.Add(1, float.NaN);

        Assert.Equal(0, scores.Count);
    }

    [Fact]
    public void AddOverMaximum_OfAnother_GivesItsBestOne()
    {
        SparseScores other = Of((0, 2), (1, 8), (2, 4));
        SparseScores scores = Of((2, 1));

        scores.AddOverMaximum(other);

        Assert.Equal([0.25f, 1f, 1.5f], [scores[0], scores[1], scores[2]]);
    }

    [Fact]
    public void AddReciprocalRanks_Ties_ShareTheMiddleOfTheirRanks()
    {
        var scores = new SparseScores(8);

        scores.AddReciprocalRanks(Of((3, 5), (1, 7), (6, 5), (2, 1)), weight: 2, constant: 10);

        // Ranks 0; 1 and 2, which share 1.5; 3.
        Assert.Equal([2 / 10f, 2 / 11.5f, 2 / 11.5f, 2 / 13f], [scores[1], scores[3], scores[6], scores[2]]);
    }

    [Fact]
    public void AddReciprocalRanks_AnyOrderOfStorage_GivesTheSame()
    {
        (int, float)[] entries = [.. Enumerable.Range(0, 600).Select(row => (row, (float)(1 + (row % 7))))];
        SparseScores forward = new(600),
            backward = new(600);

        forward.AddReciprocalRanks(Of(entries), 1, 60);
        backward.AddReciprocalRanks(Of([.. entries.Reverse()]), 1, 60);

        Assert.All(Enumerable.Range(0, 600), row => Assert.Equal(forward[row], backward[row]));
    }

    /// <summary>Items without a score are in the ranking too, all level at the end.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Rank_EveryItem_IsThatOfAllScores(int seed)
    {
        var random = new Random(seed);
        SparseScores scores = Of([
            .. Enumerable.Range(0, 30).Select(_ => (random.Next(50), (float)random.Next(1, 4))).DistinctBy(entry => entry.Item1),
        ]);
        double[] all = [.. Enumerable.Range(0, 50).Select(row => (double)scores[row])];

        Assert.All(Enumerable.Range(0, 50), row => Assert.Equal(TiedRank.Of(all, row), scores.Rank(row, competing: 50)));
    }

    private static SparseScores Of(params (int Row, float Score)[] entries)
    {
        var scores = new SparseScores(600);
        foreach ((int row, float score) in entries)
        {
            scores.Add(row, score);
        }

        return scores;
    }
}
