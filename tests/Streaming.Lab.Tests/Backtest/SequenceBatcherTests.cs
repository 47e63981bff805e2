using Streaming.Lab.Backtest;
using Streaming.Learning.Engine;
using Streaming.Models.Options;
using Xunit;

namespace Streaming.Lab.Tests.Backtest;

public class SequenceBatcherTests
{
    private static readonly OfflineOptions Options = new() { UniformNegatives = 6, BankWarmupSteps = 10 };

    [Fact]
    public void Fill_ASequence_PredictsEveryItemFromThoseBeforeIt()
    {
        SequenceBatcher batcher = Create(
            LossKind.InBatch,
            [
                [4, 5, 6],
                [7],
            ]
        );

        batcher.Fill(
            Rows([
                [4, 5, 6],
                [7],
            ]),
            [0, 1]
        );
        TrainingBatch batch = batcher.Batch(0, 0.1f, 0);

        // The last item is no input; steps count a start before each history.
        Assert.Equal([4, 5], batch.Sequences.Rows.ToArray());
        Assert.Equal([0, 2, 2], batch.Sequences.Offsets.ToArray());
        Assert.Equal([0, 1, 2, 3], batch.PredictionSteps.ToArray());
        Assert.Equal([4, 5, 6, 7], batch.Positives.ToArray());
        Assert.Equal(4, batcher.Predictions);
    }

    [Fact]
    public void Fill_LongSequence_KeepsTheLastAndPredictsNothingFromTheStart()
    {
        SequenceBatcher batcher = Create(
            LossKind.InBatch,
            [
                [1, 2, 3, 4, 5, 6],
            ]
        );

        batcher.Fill(
            Rows([
                [1, 2, 3, 4, 5, 6],
            ]),
            [0]
        );
        TrainingBatch batch = batcher.Batch(0, 0.1f, 0);

        Assert.Equal([3, 4, 5], batch.Sequences.Rows.ToArray());
        Assert.Equal([1, 2, 3], batch.PredictionSteps.ToArray());
        Assert.Equal([4, 5, 6], batch.Positives.ToArray());
    }

    [Fact]
    public void Fill_EventsOfWeightZero_AreHistoryOnly()
    {
        SequenceBatcher batcher = Create(
            LossKind.InBatch,
            [
                [4, 5, 6],
            ],
            [
                [1, 0, 2],
            ]
        );

        batcher.Fill(
            Rows([
                [4, 5, 6],
            ]),
            [0]
        );
        TrainingBatch batch = batcher.Batch(0, 0.1f, 0);

        Assert.Equal([4, 6], batch.Positives.ToArray());
        Assert.Equal([1, 2], batch.Weights.ToArray());
        Assert.Equal([0, 2], batch.PredictionSteps.ToArray());
    }

    /// <summary>Mind answers after the last step only: each beginning of a sequence is a history of its own.</summary>
    [Fact]
    public void Fill_Mind_MakesAHistoryForEachPrediction()
    {
        SequenceBatcher batcher = Create(
            LossKind.InBatch,
            [
                [4, 5, 6],
            ],
            tower: TowerKind.Mind
        );

        batcher.Fill(
            Rows([
                [4, 5, 6],
            ]),
            [0]
        );
        TrainingBatch batch = batcher.Batch(0, 0.1f, 0);

        Assert.Equal([4, 4, 5], batch.Sequences.Rows.ToArray());
        Assert.Equal([0, 0, 1, 3], batch.Sequences.Offsets.ToArray());
        Assert.Equal([0, 2, 5], batch.PredictionSteps.ToArray());
        BatchCheck.Verify(Model(LossKind.InBatch, TowerKind.Mind), batch);
    }

    /// <summary>Whatever is in the sequences, an engine takes it.</summary>
    [Theory]
    [InlineData(LossKind.Full)]
    [InlineData(LossKind.Uniform)]
    [InlineData(LossKind.InBatch)]
    [InlineData(LossKind.Mns)]
    [InlineData(LossKind.Cbns)]
    public void Batch_RandomSequences_PassesTheEnginesCheck(LossKind loss)
    {
        var random = new Random(1);
        int[][] rows =
        [
            .. Enumerable.Range(0, 20).Select(_ => Enumerable.Range(0, random.Next(1, 9)).Select(_ => random.Next(9)).ToArray()),
        ];
        SequenceBatcher batcher = Create(loss, rows);

        batcher.Fill(Rows(rows), [3, 1, 19, 7]);

        Assert.Null(Record.Exception(() => BatchCheck.Verify(Model(loss, TowerKind.FmrlRec), batcher.Batch(5, 0.1f, 3))));
    }

    [Theory]
    [InlineData(LossKind.Full, 0)]
    [InlineData(LossKind.Uniform, 0)]
    [InlineData(LossKind.Mns, 2)]
    [InlineData(LossKind.Union, 2)]
    public void Fill_Catalogue_NegativesAreOfIt(LossKind loss, int drawnFrom)
    {
        int[][] rows =
        [
            [4, 5, 4],
        ];
        var weights = new WeightList();
        weights.Add([1, 1, 1]);
        var split = new OfflineSplit(Rows(rows), weights, new RankingCases(), new RankingCases(), ItemCount: 9);
        var batcher = new SequenceBatcher(split, Model(loss, TowerKind.FmrlRec), Options, catalogue: [4, 5]);

        batcher.Fill(Rows(rows), [0]);
        TrainingBatch batch = batcher.Batch(0, 0.1f, 0);

        Assert.Equal([4, 5], batch.Negatives.ToArray().Distinct().Order());
        Assert.Equal(drawnFrom, batch.DrawnFrom);
    }

    [Theory]
    [InlineData(LossKind.InBatch)]
    [InlineData(LossKind.Cbns)]
    public void LogQ_OfTheBatch_IsTheShareOfPredictions(LossKind loss)
    {
        // Four predictions of five count; item 4 is two of them.
        SequenceBatcher batcher = Create(
            loss,
            [
                [4, 5, 4],
                [6, 7],
            ],
            [
                [1, 1, 1],
                [0, 1],
            ]
        );

        batcher.Fill(
            Rows([
                [4, 5, 4],
                [6, 7],
            ]),
            [0]
        );

        Assert.Equal([MathF.Log(0.5f), MathF.Log(0.25f), MathF.Log(0.5f)], batcher.Batch(0, 0.1f, 0).LogQ.ToArray(), Near);
    }

    /// <summary>The engine mixes: it gets the probabilities of the sequences, and from how many items was drawn.</summary>
    [Theory]
    [InlineData(LossKind.Uniform, 0)]
    [InlineData(LossKind.Mns, 9)]
    [InlineData(LossKind.Union, 9)]
    public void Negatives_OfALossThatDraws_ComeWithTheProbabilitiesOfTheSequences(LossKind loss, int drawnFrom)
    {
        SequenceBatcher batcher = Create(
            loss,
            [
                [4, 5, 4, 4],
            ]
        );
        batcher.Fill(
            Rows([
                [4, 5, 4, 4],
            ]),
            [0]
        );
        TrainingBatch batch = batcher.Batch(0, 0.1f, 0);

        Assert.Equal(6, batch.Negatives.Length);
        Assert.Equal(drawnFrom, batch.DrawnFrom);
        Assert.Equal(Expected(batch.Positives), batch.LogQ.ToArray(), Near);
        Assert.Equal(Expected(batch.Negatives), batch.NegativeLogQ.ToArray(), Near);

        static float[] Expected(ReadOnlySpan<int> items) =>
            [
                .. items
                    .ToArray()
                    .Select(item =>
                        item switch
                        {
                            4 => MathF.Log(0.75f),
                            5 => MathF.Log(0.25f),
                            _ => MathF.Log(1e-12f),
                        }
                    ),
            ];
    }

    [Theory]
    [InlineData(LossKind.Cbns, 9, 0)]
    [InlineData(LossKind.Cbns, 10, 7)]
    [InlineData(LossKind.Union, 10, 7)]
    [InlineData(LossKind.InBatch, 10, 0)]
    public void Batch_Bank_IsUsedAfterTheWarmup(LossKind loss, long step, int entries)
    {
        SequenceBatcher batcher = Create(
            loss,
            [
                [4, 5],
            ]
        );
        batcher.Fill(
            Rows([
                [4, 5],
            ]),
            [0]
        );

        TrainingBatch batch = batcher.Batch(step, 0.1f, bankCount: 7);

        Assert.Equal((entries, loss.UsesBank()), (batch.BankEntries, batch.EnqueuePositives));
    }

    private static bool Near(float expected, float actual) => Math.Abs(expected - actual) < 1e-5;

    private static ModelOptions Model(LossKind loss, TowerKind tower) =>
        new()
        {
            Widths = [4],
            Loss = loss,
            Tower = tower,
            HistoryLength = 3,
            ItemCapacity = 9,
            BankCapacity = 16,
        };

    private static SequenceBatcher Create(LossKind loss, int[][] rows, float[][]? weights = null, TowerKind tower = TowerKind.FmrlRec)
    {
        var weightRows = new WeightList();
        foreach (float[] row in weights ?? [.. rows.Select(row => row.Select(_ => 1f).ToArray())])
        {
            weightRows.Add(row);
        }

        return new SequenceBatcher(
            new OfflineSplit(Rows(rows), weightRows, new RankingCases(), new RankingCases(), ItemCount: 9),
            Model(loss, tower),
            Options
        );
    }

    private static JaggedList Rows(int[][] rows)
    {
        var list = new JaggedList();
        Array.ForEach(rows, row => list.Add(row));
        return list;
    }
}
