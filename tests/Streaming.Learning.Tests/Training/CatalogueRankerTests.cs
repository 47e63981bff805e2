using Streaming.Core.Ingestion;
using Streaming.Learning.Evaluation;
using Streaming.Learning.Items;
using Streaming.Learning.Training;
using Streaming.Models.Batches;
using Streaming.Models.Options;
using Xunit;

namespace Streaming.Learning.Tests.Training;

public class CatalogueRankerTests
{
    /// <summary>More items than two tiles, against plain counting in float64.</summary>
    [Theory]
    [InlineData(false, 1)]
    [InlineData(true, 1)]
    [InlineData(false, 3)]
    [InlineData(true, 3)]
    public void Rank_LargeCatalogue_EqualsCounting(bool cosine, int interests)
    {
        var model = new ModelOptions
        {
            Widths = [4, 8],
            ItemCapacity = 10_000,
            Tower = interests > 1 ? TowerKind.Mind : TowerKind.YoutubeDnn,
            Interests = interests,
            HistoryLength = Batches.HistoryLength,
            BankCapacity = 16,
            Cosine = cosine,
        };
        using var engine = new FakeEngine(model);
        var items = new ItemTable(engine, new ItemTableOptions { FallbackRows = 5 });
        for (int i = 0; i < 9_000; i++)
        {
            items.Touch(Batches.Key($"item-{i}"), System.Text.Encoding.UTF8.GetBytes($"item-{i}"), 1);
        }

        Batch batch = Batches.Random(new Random(1), 0, 40, 9_500);
        var ranker = new CatalogueRanker(engine, items, batch.Capacity, Batches.HistoryLength, workers: null);
        ranker.Rank(batch, [.. Enumerable.Range(0, batch.Count)]);
        for (int i = 0; i < batch.Count; i++)
        {
            TiedRank[] expected = Count(engine, items, batch, i);
            Assert.Equal(expected, ranker.Ranks(i).ToArray());
        }
    }

    [Fact]
    public void Rank_EmptyCatalogue_IsMissing()
    {
        using var engine = new FakeEngine(
            new ModelOptions
            {
                Widths = [4, 8],
                ItemCapacity = 16,
                HistoryLength = Batches.HistoryLength,
            }
        );
        var ranker = new CatalogueRanker(engine, new ItemTable(engine, new ItemTableOptions()), 16, Batches.HistoryLength, workers: null);
        ranker.Rank(Batches.Create().Add("a", ["b"]), [0]);
        Assert.Equal([TiedRank.Missing, TiedRank.Missing], ranker.Ranks(0).ToArray());
    }

    private static TiedRank[] Count(FakeEngine engine, ItemTable items, Batch batch, int example)
    {
        int target = items.Find(batch.ItemKeys[example]);
        if (target < 0)
        {
            return [TiedRank.Missing, TiedRank.Missing];
        }

        ulong[] history = batch.HistoryItems[batch.HistoryOffsets[example]..batch.HistoryOffsets[example + 1]];
        int[] rows = [.. history.Select(items.RowOf)];
        float[] user = new float[8 * engine.Model.VectorsPerUser];
        engine.EncodeUsers(new JaggedRows { Rows = rows, Offsets = [0, rows.Length] }, user);
        return
        [
            .. engine.Model.Widths.Select(width =>
            {
                double[] scores = [.. items.Rows.ToArray().Select(row => Score(engine, user, row, width))];
                double own = Score(engine, user, target, width);
                int above = 0,
                    ties = 0;
                for (int i = 0; i < scores.Length; i++)
                {
                    int row = items.Rows[i];
                    if (row == target || (!batch.IsRepeat[example] && rows.Contains(row)))
                    {
                        continue;
                    }

                    above += scores[i] > own ? 1 : 0;
                    ties += scores[i] == own ? 1 : 0;
                }

                return new TiedRank(above, ties);
            }),
        ];
    }

    /// <summary>The maximum over the user's vectors.</summary>
    private static double Score(FakeEngine engine, float[] user, int row, int width) =>
        user.Chunk(8)
            .Max(vector =>
            {
                double dot = 0,
                    squares = 0,
                    own = 0;
                for (int d = 0; d < width; d++)
                {
                    dot += (double)vector[d] * engine.Embedding(row)[d];
                    squares += (double)engine.Embedding(row)[d] * engine.Embedding(row)[d];
                    own += (double)vector[d] * vector[d];
                }

                return engine.Model.Cosine ? dot / (Math.Sqrt(squares) * (Math.Sqrt(own) + 1e-6)) : dot;
            });
}
