using System.Diagnostics.CodeAnalysis;
using Streaming.Core.Ingestion;
using Streaming.Core.Items;
using Streaming.Core.Options;
using Streaming.Learning.Bank;
using Streaming.Learning.Drift;
using Streaming.Learning.Engine;
using Streaming.Learning.Evaluation;
using Streaming.Learning.Items;
using Streaming.Learning.Replay;
using Streaming.Learning.Training;
using Streaming.Models.Batches;
using Streaming.Models.Options;
using Streaming.Models.State;
using Xunit;

namespace Streaming.Learning.Tests.Training;

public sealed class TrainerTests : IDisposable
{
    private static readonly ModelOptions Model = new()
    {
        Widths = [4, 8],
        Cosine = false,
        Temperature = 1,
        ItemCapacity = 256,
        HistoryLength = Batches.HistoryLength,
        BankCapacity = 64,
        FeatureGroups = [new FeatureGroup("text", 2)],
    };

    private static readonly TrainerOptions Options = new()
    {
        Replay = new ReplayOptions { Ratio = 0, Capacity = 64 },
        LearningRate = new LearningRateOptions { Peak = 0.1f, WarmupSteps = 0 },
        EvaluateEvery = 1,
        EvaluationThreads = 1,
    };

    private readonly List<IDisposable> _disposables = [];

    public void Dispose() => _disposables.ForEach(disposable => disposable.Dispose());

    [Fact]
    public void Train_Examples_ReachTheEngineAsRows()
    {
        (Trainer trainer, FakeEngine engine) = Create();
        trainer.Train(Batches.Create().Add("a", []).Add("b", []));
        trainer.Train(Batches.Create(sequence: 1).Add("c", ["a", "b"], weight: 0.5f).Add("a", ["b"]));
        FakeEngine.SeenStep step = engine.Steps[^1];
        int a = trainer.Items.Find(Batches.Key("a")),
            b = trainer.Items.Find(Batches.Key("b")),
            c = trainer.Items.Find(Batches.Key("c"));
        Assert.Equal([c, a], step.Positives);
        Assert.Equal([a, b, b], step.Rows);
        Assert.Equal([0, 2, 3], step.Offsets);

        // Sequence 0 has steps 0 … 2, sequence 1 has 3 and 4; predictions are at the last of each.
        Assert.Equal([2, 4], step.PredictionSteps);
        Assert.Equal([0.5f, 1f], step.Weights);
        Assert.Equal(trainer.Frequency.LogProbability(Batches.Key("c")), step.LogQ[0]);
        Assert.Equal(1, step.Step);
    }

    [Fact]
    public void Train_HistoryItemUnknown_UsesItsFallbackRow()
    {
        (Trainer trainer, FakeEngine engine) = Create();
        trainer.Train(Batches.Create().Add("a", ["never-seen"]));
        Assert.InRange(Assert.Single(engine.Steps[^1].Rows), 0, trainer.Items.FallbackRows - 1);
    }

    [Fact]
    public void Train_Counters_CountNewExamplesOnce()
    {
        (Trainer trainer, _) = Create(
            Options with
            {
                Replay = new ReplayOptions { Ratio = 1, Capacity = 64 },
            }
        );
        trainer.Train(Batches.Create().Add("a", []).Add("b", []));
        TrainReport report = trainer.Train(Batches.Create(sequence: 1).Add("a", []).Add("c", []));
        Assert.Equal(2, report.Examples);
        Assert.Equal(2, report.Replayed);
        Assert.Equal(4, trainer.Counters.EventsTrained);
        Assert.Equal(2, trainer.Counters.EventsReplayed);
        Assert.Equal(2, trainer.Counters.Steps);
        Assert.Equal(4, trainer.Frequency.Draws);
        Assert.Equal(4, trainer.Evaluator.Examples);
        Assert.Equal(1, trainer.Sequence);
    }

    [Fact]
    public void Train_EmptyBatch_AppliesTheCatalogueWithoutAStep()
    {
        (Trainer trainer, FakeEngine engine) = Create();
        Batch batch = Batches.Create(sequence: 5);
        batch.ItemChanges.Add(Record("a", 1, 2));
        TrainReport report = trainer.Train(batch);
        Assert.Empty(engine.Steps);
        Assert.Equal(0, report.Examples);
        Assert.True(trainer.Items.Find(Batches.Key("a")) >= 0);
        Assert.Equal(5, trainer.Sequence);
    }

    [Fact]
    public void Train_RecordRejected_IsReportedAndTrainingContinues()
    {
        (Trainer trainer, _) = Create();
        Batch batch = Batches.Create().Add("b", []);
        batch.ItemChanges.Add(Record("a", 1, 2, 3));
        TrainReport report = trainer.Train(batch);
        Assert.Equal("Item 'a': feature group 'text' has 3 values; the model expects 2.", Assert.Single(report.Rejections));
        Assert.Equal(1, trainer.Items.Counters.RecordsRejected);
        Assert.Equal(1, trainer.Counters.EventsTrained);
    }

    /// <summary>Scored before trained: an item's first event is a miss, and a batch cannot benefit from training on itself.</summary>
    [Fact]
    public void Train_FirstEventOfAnItem_CountsAsAMiss()
    {
        (Trainer trainer, _) = Create();
        trainer.Train(Batches.Create().Add("a", []));
        Assert.Equal(1, trainer.Evaluator.Examples);
        Assert.Equal(0, trainer.Evaluator.Total(1, EvaluationSegment.All).Recall(10));
        trainer.Train(Batches.Create(sequence: 1).Add("a", []));
        Assert.Equal(0.5, trainer.Evaluator.Total(1, EvaluationSegment.All).Recall(10));
        Assert.Equal(0.5, trainer.Baseline.Total(0, EvaluationSegment.All).Recall(10));
    }

    [Fact]
    public void Train_Segments_AreKeptApart()
    {
        (Trainer trainer, _) = Create();
        trainer.Train(Batches.Create().Add("a", []).Add("b", ["a"]).Add("a", ["a", "b"]));
        PrequentialEvaluator evaluator = trainer.Evaluator;
        Assert.Equal(1, evaluator.Total(0, EvaluationSegment.Repeats).Count);
        Assert.Equal(2, evaluator.Total(0, EvaluationSegment.NewItems).Count);
        Assert.Equal(1, evaluator.Total(0, EvaluationSegment.NewUsers).Count);
        Assert.Equal(2, evaluator.Total(0, EvaluationSegment.KnownUsers).Count);
    }

    [Fact]
    public void Train_StreamWithStructure_BeatsChanceAfterSomeSteps()
    {
        // Users stay within one of eight groups of twelve items; the fake engine pulls an item towards its history.
        (Trainer trainer, _) = Create();
        var random = new Random(1);
        for (int sequence = 0; sequence < 150; sequence++)
        {
            Batch batch = Batches.Create(16, sequence);
            for (int i = 0; i < 16; i++)
            {
                int group = random.Next(8) * 12;
                batch.Add(
                    $"i{group + random.Next(12)}",
                    [$"i{group + random.Next(12)}", $"i{group + random.Next(12)}", $"i{group + random.Next(12)}"]
                );
            }

            trainer.Train(batch);
        }

        double model = trainer.Evaluator.Recent(1, EvaluationSegment.All).Recall(20);
        double popularity = trainer.Baseline.Recent(0, EvaluationSegment.All).Recall(20);
        Assert.True(model > 1.5 * popularity, $"{model} against {popularity}");
    }

    [Fact]
    public void Train_Report_HoldsRecallOfTheBatch()
    {
        (Trainer trainer, _) = Create();
        trainer.Train(Batches.Create().Add("a", []));
        TrainReport report = trainer.Train(Batches.Create(sequence: 1).Add("a", []).Add("new", []));
        Assert.Equal(2, report.Evaluated);
        Assert.Equal([0.5, 0.5], report.Recall.ToArray());
    }

    [Theory]
    [InlineData(-1, 0)]
    [InlineData(1, 12)]
    [InlineData(3, 4)]
    public void Train_EvaluateEvery_ScoresWholeBatchesInTurn(int every, int expected)
    {
        (Trainer trainer, _) = Create(Options with { EvaluateEvery = every });
        for (int sequence = 0; sequence < 12; sequence++)
        {
            trainer.Train(Batches.Create(sequence: sequence).Add("a", []));
        }

        Assert.Equal(expected, trainer.Evaluator.Examples);
    }

    [Theory]
    [InlineData(-1, 0)]
    [InlineData(1, 12)]
    [InlineData(3, 4)]
    public void Observe_EvaluateEvery_ScoresTheBatchesThatTrainScores(int every, int expected)
    {
        (Trainer trainer, FakeEngine engine) = Create(Options with { EvaluateEvery = every });
        for (int sequence = 0; sequence < 12; sequence++)
        {
            trainer.Observe(Batches.Create(sequence: sequence).Add("a", []));
        }

        Assert.Equal(expected, trainer.Evaluator.Examples);
        Assert.Empty(engine.Steps);
        Assert.Equal(0, trainer.Counters.EventsTrained);
    }

    [Fact]
    public void Train_BatchNotScored_HasNoRanksOfTheBatchBefore()
    {
        (Trainer trainer, _) = Create(Options with { EvaluateEvery = 2 });
        Assert.Equal([TiedRank.Missing, TiedRank.Missing], trainer.Train(Batches.Create().Add("a", []).Add("b", [])).Ranks);
        Assert.True(trainer.Train(Batches.Create(sequence: 1).Add("a", []).Add("b", [])).Ranks.IsEmpty);
        Assert.Equal(1, trainer.Train(Batches.Create(sequence: 2).Add("a", [])).Ranks.Length);
    }

    /// <summary>A share of the examples estimates the recall of all, and says how well: the same stream, ranked whole and in part.</summary>
    [Fact]
    public void Train_ShareOfTime_EstimatesTheRecallOfAllExamples()
    {
        (Trainer all, FakeEngine first) = Create();
        (Trainer some, FakeEngine second) = Create(
            Options with
            {
                EvaluateEvery = 0,
                Evaluation = new PrequentialOptions { MaxTimeShare = 0.2 },
            },
            time: new StepClock()
        );
        var random = new Random(3);
        int sequence = 0;
        while (some.Evaluator.Examples < 150)
        {
            Batch batch = Batches.Random(random, sequence++, 16, 60);
            all.Train(batch);
            some.Train(batch);
            Assert.True(sequence < 100_000, "hardly anything is ranked");
        }

        RankingMetrics whole = all.Evaluator.Total(1, EvaluationSegment.All);
        RankingMetrics part = some.Evaluator.Total(1, EvaluationSegment.All);
        Assert.Equal(sequence * 16, whole.Count);
        Assert.InRange(part.Recall(20), whole.Recall(20) - (5 * part.RecallError(20)), whole.Recall(20) + (5 * part.RecallError(20)));
        Assert.InRange(some.EvaluatedShare, 0.0001, 1);

        // What is ranked changes nothing about what is learned.
        Assert.Equal(first.Embedding(all.Items.Rows[7]).ToArray(), second.Embedding(some.Items.Rows[7]).ToArray());
    }

    [Fact]
    public void Train_NonFinite_IsCountedAndThrowsAfterTheLimit()
    {
        (Trainer trainer, FakeEngine engine) = Create(Options with { MaxNonFiniteSteps = 3 });
        trainer.Train(Batches.Create().Add("a", []));
        engine.NonFinite = true;
        Assert.False(trainer.Train(Batches.Create(sequence: 1).Add("a", [])).Step.IsApplied);
        trainer.Train(Batches.Create(sequence: 2).Add("a", []));
        NonFiniteLossException error = Assert.Throws<NonFiniteLossException>(() => trainer.Train(Batches.Create(sequence: 3).Add("a", [])));
        Assert.Equal(3, error.Steps);
        Assert.Equal(3, trainer.Counters.NonFiniteSteps);
    }

    [Fact]
    public void Train_NonFiniteAndReadNowAndThen_StepsInBetweenDoNotRestartTheCount()
    {
        (Trainer trainer, FakeEngine engine) = Create(Options with { MaxNonFiniteSteps = 2 });
        for (int sequence = 0; sequence < 5; sequence++)
        {
            (engine.NonFinite, engine.Unread) = (sequence == 2, sequence != 2);
            trainer.Train(Batches.Create(sequence: sequence).Add("a", []));
        }

        engine.NonFinite = true;
        Assert.Throws<NonFiniteLossException>(() => trainer.Train(Batches.Create(sequence: 5).Add("a", [])));
    }

    [Fact]
    public void Train_FiniteAgain_RestartsTheCount()
    {
        (Trainer trainer, FakeEngine engine) = Create(Options with { MaxNonFiniteSteps = 2 });
        for (int sequence = 0; sequence < 10; sequence++)
        {
            engine.NonFinite = sequence % 2 == 0;
            trainer.Train(Batches.Create(sequence: sequence).Add("a", []));
        }

        Assert.Equal(5, trainer.Counters.NonFiniteSteps);
    }

    [Fact]
    public void Train_Cbns_FillsTheBankSilentlyThenUsesIt()
    {
        (Trainer trainer, FakeEngine engine) = Create(
            Options with
            {
                Bank = new BankOptions { WarmupSteps = 3, MaxStaleness = double.PositiveInfinity },
            }
        );
        for (int sequence = 0; sequence < 6; sequence++)
        {
            trainer.Train(Batches.Create(sequence: sequence).Add("a", []).Add("b", []));
        }

        Assert.Equal([0, 0, 0, 6, 8, 10], engine.Steps.Select(step => step.BankEntries));
        Assert.All(engine.Steps, step => Assert.True(step.Enqueue));
    }

    [Fact]
    public void Train_InBatch_LeavesTheBankAlone()
    {
        (Trainer trainer, FakeEngine engine) = Create(model: Model with { Loss = LossKind.InBatch });
        trainer.Train(Batches.Create().Add("a", []));
        Assert.False(engine.Steps[0].Enqueue);
        Assert.Empty(engine.Steps[0].Negatives);
    }

    [Theory]
    [InlineData(LossKind.Mns)]
    [InlineData(LossKind.Union)]
    public void Train_MixedDraws_GivesTheStreamsProbabilitiesAndTheNumberOfItems(LossKind loss)
    {
        (Trainer trainer, FakeEngine engine) = Create(Options with { UniformNegatives = 6 }, Model with { Loss = loss });
        trainer.Train(Batches.Create().Add("a", []).Add("b", []));
        FakeEngine.SeenStep step = engine.Steps[0];
        Assert.Equal(2, step.DrawnFrom);
        Assert.Equal(6, step.Negatives.Length);
        Assert.All(step.Negatives, row => Assert.True(trainer.Items.IsLive(row)));
        Assert.Equal(step.Negatives.Select(row => trainer.Frequency.LogProbability(trainer.Items.KeyOf(row))), step.NegativeLogQ);
        Assert.Equal(trainer.Frequency.LogProbability(Batches.Key("a")), step.LogQ[0]);
        Assert.Equal(loss == LossKind.Union, step.Enqueue);
    }

    [Fact]
    public void Train_Uniform_DrawsItemsWithoutCorrection()
    {
        (Trainer trainer, FakeEngine engine) = Create(Options with { UniformNegatives = 6 }, Model with { Loss = LossKind.Uniform });
        trainer.Train(Batches.Create().Add("a", []).Add("b", []).Add("c", []));
        FakeEngine.SeenStep step = engine.Steps[0];
        Assert.Equal(6, step.Negatives.Length);
        Assert.Empty(step.NegativeLogQ);
        Assert.Equal(0, step.DrawnFrom);
    }

    [Fact]
    public void Train_UnionWithoutDraws_HasTheBankAlone()
    {
        (Trainer trainer, FakeEngine engine) = Create(Options with { UniformNegatives = 0 }, Model with { Loss = LossKind.Union });
        trainer.Train(Batches.Create().Add("a", []).Add("b", []));
        Assert.Empty(engine.Steps[0].Negatives);
        Assert.True(engine.Steps[0].Enqueue);
    }

    [Fact]
    public void Validate_UniformLossWithoutDraws_IsRefused()
    {
        OptionsException error = Assert.Throws<OptionsException>(() =>
            new TrainerOptions { UniformNegatives = 0 }.Validate(new ModelOptions { Loss = LossKind.Uniform })
        );
        Assert.Contains("UniformNegatives is 0; allowed: 1", error.Message, StringComparison.Ordinal);
        new TrainerOptions { UniformNegatives = 0 }.Validate(new ModelOptions { Loss = LossKind.Union });
    }

    [Fact]
    public void Train_Full_GivesTheCatalogueOnceAndThePositivesAmongIt()
    {
        TrainerOptions options = Options with { Items = new ItemTableOptions { AdmitAfter = 2 } };
        (Trainer trainer, FakeEngine engine) = Create(options, Model with { Loss = LossKind.Full });
        trainer.Train(Batches.Create().Add("a", []).Add("a", []).Add("b", []).Add("b", []).Add("stranger", []).Add("stranger-too", []));
        FakeEngine.SeenStep step = engine.Steps[0];
        Assert.Equal(step.Negatives.Length, step.Negatives.Distinct().Count());
        Assert.All(step.Positives, row => Assert.Contains(row, step.Negatives));
        Assert.All(trainer.Items.Rows.ToArray(), row => Assert.Contains(row, step.Negatives));
    }

    [Fact]
    public void Train_Replay_ShowsOldExamplesAgainWithTheirHistories()
    {
        (Trainer trainer, FakeEngine engine) = Create(
            Options with
            {
                Replay = new ReplayOptions
                {
                    Ratio = 2,
                    Capacity = 64,
                    EarlierPredictions = 0,
                },
            }
        );
        trainer.Train(Batches.Create().Add("a", ["x", "y"], weight: 0.25f));
        trainer.Train(Batches.Create(sequence: 1).Add("b", []));
        FakeEngine.SeenStep step = engine.Steps[1];
        int a = trainer.Items.Find(Batches.Key("a"));
        Assert.Equal([trainer.Items.Find(Batches.Key("b")), a, a], step.Positives);
        Assert.Equal([0, 0, 2, 4], step.Offsets);
        Assert.Equal([1f, 0.25f, 0.25f], step.Weights);
    }

    [Fact]
    public void Train_ReplayWithEarlierPredictions_PredictsTheHistoryFromWhatWasBefore()
    {
        (Trainer trainer, FakeEngine engine) = Create(
            Options with
            {
                Replay = new ReplayOptions
                {
                    Ratio = 1,
                    Capacity = 64,
                    EarlierPredictions = 5,
                },
            }
        );
        foreach (string item in (string[])["x", "y", "z"])
        {
            trainer.Train(Batches.Create().Add(item, []));
        }

        trainer.Train(Batches.Create(sequence: 3).Add("a", ["x", "y", "z"], weight: 0.25f));
        FakeEngine.SeenStep? replayed = null;
        for (int i = 4; i < 30 && replayed is null; i++)
        {
            trainer.Train(Batches.Create(sequence: i).Add("b", []));
            replayed = engine.Steps[^1].Positives.Length == 4 ? engine.Steps[^1] : null;
        }

        // x is first and has nothing before it; y, z and a are predicted at the steps that have seen 1, 2 and 3 items.
        Assert.NotNull(replayed);
        Assert.Equal(["b", "y", "z", "a"], replayed.Positives.Select(row => trainer.Items.IdOf(row)));
        Assert.Equal([0, 2, 3, 4], replayed.PredictionSteps);
        Assert.Equal([1f, 0.25f, 0.25f, 0.25f], replayed.Weights);
    }

    [Fact]
    public void Status_AfterABatchWithoutEvents_HasTheNewestStep()
    {
        (Trainer trainer, _) = Create();
        trainer.Train(Batches.Create().Add("a", []));
        TrainerStatus before = trainer.Status();
        trainer.Train(Batches.Create(sequence: 1));
        TrainerStatus after = trainer.Status();
        Assert.True(before.Loss != 0 && before.LearningRate > 0);
        Assert.Equal((before.Loss, before.GradientNorm, before.LearningRate), (after.Loss, after.GradientNorm, after.LearningRate));
        Assert.Equal(before.Losses, after.Losses);
        Assert.Equal(1, after.Sequence);
    }

    /// <summary>The stored history may be longer than what the model reads: it still decides what is new to the user.</summary>
    [Fact]
    public void Train_HistoryLongerThanTheModelReads_FeedsTheNewestAndMasksAll()
    {
        (Trainer trainer, FakeEngine engine) = Create();
        string[] items = [.. Enumerable.Range(0, 12).Select(i => $"i{i}")];
        var batch = new Batch(16, 32);
        foreach (string item in items)
        {
            batch.Add(item, []);
        }

        trainer.Train(batch);
        var next = new Batch(16, 32) { Sequence = 1 };
        next.Add("i11", items[..11]);
        trainer.Train(next);
        Assert.Equal(items[(11 - Batches.HistoryLength)..11].Select(item => trainer.Items.Find(Batches.Key(item))), engine.Steps[^1].Rows);

        // All others were in the history: whatever the scores, the item ranks first.
        Assert.Equal(1, trainer.Evaluator.Total(0, EvaluationSegment.NewItemsOfKnownUsers).Ndcg(10));
    }

    [Fact]
    public void Metrics_Read_ShowsTheStateAfterTheNextBatch()
    {
        (Trainer trainer, _) = Create();
        trainer.Train(Batches.Create().Add("a", []));
        trainer.Metrics.Read();
        trainer.Train(Batches.Create(sequence: 1).Add("a", []).Add("b", []));
        TrainerStatus status = trainer.Metrics.Read();
        Assert.Equal(3, status.Counters.EventsTrained);
        Assert.Equal(2, status.Items);
        Assert.Equal([4, 8], status.Widths);
        Assert.Equal(1, status.Sequence);
        Assert.Equal(3, status.Recall[0].Examples);
        Assert.Equal(3, status.BankCount);
    }

    [Fact]
    public void Train_SteadyState_AllocatesNothing()
    {
        TrainerOptions options = Options with
        {
            Replay = new ReplayOptions { Ratio = 1, Capacity = 64 },
            EvaluateEvery = -1,
        };
        using var engine = new QuietEngine(Model);
        using var trainer = new Trainer(engine, options);
        Batch[] batches = [.. Enumerable.Range(0, 8).Select(i => Batches.Random(new Random(i), i, 16, 50))];
        for (int i = 0; i < 200; i++)
        {
            trainer.Train(batches[i % 8]);
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
        {
            trainer.Train(batches[i % 8]);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Restore_ThenGoOn_EqualsNeverStopped()
    {
        TrainerOptions options = Options with
        {
            Replay = new ReplayOptions { Ratio = 1.5, Capacity = 64 },
            Items = new ItemTableOptions { AdmitAfter = 2 },
        };
        (Trainer original, FakeEngine engine) = Create(options);
        var random = new Random(1);
        for (int sequence = 0; sequence < 53; sequence++)
        {
            original.Train(Batches.Random(random, sequence, 16, 400));
        }

        (Trainer restored, FakeEngine restoredEngine) = Create(options);
        using (TrainerSnapshot snapshot = original.BeginSnapshot())
        {
            // Training continues while the snapshot is open, as in production.
            var ahead = new Random(2);
            for (int sequence = 53; sequence < 90; sequence++)
            {
                original.Train(Batches.Random(ahead, sequence, 16, 400));
            }

            restored.Restore(snapshot.Engine, snapshot.Trainer);
        }

        var again = new Random(2);
        for (int sequence = 53; sequence < 90; sequence++)
        {
            restored.Train(Batches.Random(again, sequence, 16, 400));
        }

        Assert.Equal(engine.StateBytes(), restoredEngine.StateBytes());
        Assert.Equal(StateBytes(original), StateBytes(restored));
        Assert.Equal(original.Counters, restored.Counters);
    }

    [Fact]
    public void BeginSnapshot_Twice_ThrowsUntilTheFirstEnds()
    {
        (Trainer trainer, _) = Create();
        TrainerSnapshot first = trainer.BeginSnapshot();
        Assert.Throws<InvalidOperationException>(trainer.BeginSnapshot);
        first.Dispose();
        trainer.BeginSnapshot().Dispose();
    }

    [Fact]
    public void Create_WrongOptions_NamesEverythingAtOnce()
    {
        using var engine = new FakeEngine(Model);
        TrainerOptions options = Options with
        {
            MaxNonFiniteSteps = 0,
            LearningRate = new LearningRateOptions { Peak = 0 },
            Bank = new BankOptions { MeasureEvery = 5 },
        };
        string[] errors = Assert.Throws<OptionsException>(() => new Trainer(engine, options)).Message.Split(Environment.NewLine);
        Assert.Equal(
            [
                "LearningRate.Peak is 0; allowed: above 0, at most 10.",
                "Bank.MeasureEvery is 5; allowed: 10 … 100000.",
                "MaxNonFiniteSteps is 0; allowed: 1 … 1000.",
            ],
            errors
        );
    }

    internal static byte[] StateBytes(Trainer trainer)
    {
        using TrainerSnapshot snapshot = trainer.BeginSnapshot();
        using var stream = new MemoryStream();
        Safetensors.Write(snapshot.Trainer, stream, null, TestContext.Current.CancellationToken);
        return stream.ToArray();
    }

    private static ItemChange Record(string id, params float[] text) =>
        new()
        {
            ItemKey = Batches.Key(id),
            ItemId = id,
            Features = new Dictionary<string, float[]> { ["text"] = text },
        };

    /// <summary>Every user takes the item of the history again, until a drift after which all take others: the trainer forgets what it
    /// would replay, and replays only what came after.</summary>
    [Fact]
    public void Train_RecallDrops_ForgetsReplayAndFadesCounts()
    {
        (Trainer trainer, FakeEngine engine) = Create(
            Options with
            {
                Replay = new ReplayOptions { Ratio = 1, Capacity = 64 },
                LearningRate = new LearningRateOptions { Peak = 1e-9f, WarmupSteps = 0 },
                Drift = new DriftOptions
                {
                    Window = 50,
                    Reference = 100,
                    MaxShare = 0.5,
                },
                Evaluation = new PrequentialOptions { Cutoffs = [1] },
            }
        );
        trainer.Train(Items(0, static i => i));
        for (int i = 0; i < Model.Dimension; i++)
        {
            Span<float> embedding = engine.Embedding(trainer.Items.Find(Batches.Key($"i{i}")));
            embedding.Clear();
            embedding[i] = 1;
        }

        for (int sequence = 1; sequence <= 20; sequence++)
        {
            Assert.Null(trainer.Train(Items(sequence, static i => i)).RecallDrop);
        }

        float unit = trainer.Counts.Unit;
        RecallDrop? drop = null;
        int batches = 0;
        while (drop is null)
        {
            Assert.InRange(batches, 0, 10);
            drop = trainer.Train(Items(21 + batches++, static i => (i + 1) % 8)).RecallDrop;
        }

        int dropped = engine.Steps.Count - 1;
        trainer.Train(Items(21 + batches, static i => (i + 1) % 8));

        Assert.Equal(1, drop.Value.Before);
        Assert.InRange(drop.Value.Recall, 0.3, 0.5);
        Assert.Equal(1, trainer.RecallDrops);
        Assert.Equal(1, trainer.Status().RecallDrops);
        Assert.True(trainer.Counts.Unit > 9 * unit);
        Assert.Equal(Model.Dimension, engine.Steps[dropped].Positives.Length);
        Assert.Equal(2 * Model.Dimension, engine.Steps[^1].Positives.Length);
        Assert.Equal(Model.Dimension, trainer.Status().ReplayCount / 2);

        static Batch Items(long sequence, Func<int, int> next)
        {
            Batch batch = Batches.Create(sequence: sequence);
            for (int i = 0; i < Model.Dimension; i++)
            {
                batch.UserKeys[i] = (ulong)i + 1;
                batch.Add($"i{next(i)}", [$"i{i}"]);
            }

            return batch;
        }
    }

    [SuppressMessage("Reliability", "CA2000", Justification = "Disposed with the test.")]
    private (Trainer Trainer, FakeEngine Engine) Create(
        TrainerOptions? options = null,
        ModelOptions? model = null,
        TimeProvider? time = null
    )
    {
        var engine = new FakeEngine(model ?? Model);
        var trainer = new Trainer(engine, options ?? Options, time);
        _disposables.AddRange([trainer, engine]);
        return (trainer, engine);
    }

    /// <summary>Advances by a millisecond each time it is asked, so that what is scored does not depend on the machine.</summary>
    private sealed class StepClock : TimeProvider
    {
        private long _now;

        public override long TimestampFrequency => 1_000;

        public override long GetTimestamp() => _now++;
    }

    /// <summary>Does nothing and allocates nothing, so that only the trainer's own allocations remain.</summary>
    private sealed class QuietEngine(ModelOptions model) : TrainingEngine(model)
    {
        private readonly double[] _losses = new double[model.Widths.Count];

        public override int BankCount => 0;

        public override string Description => "quiet";

        public override void InitializeRow(int row, ulong itemKey) { }

        public override void SetFeatures(int row, ReadOnlySpan<float> features) { }

        public override StepResult Step(in TrainingBatch batch) => new(true, 1, 1, _losses, 1);

        public override void EncodeItems(ReadOnlySpan<int> rows, Span<float> embeddings) => embeddings.Fill(1);

        public override void EncodeUsers(in JaggedRows sequences, Span<float> vectors) => vectors.Fill(1);

        public override void ReadBank(ReadOnlySpan<int> entries, Span<int> rows, Span<long> steps, Span<float> embeddings) { }

        public override void ForgetRow(int row) { }

        public override TensorSnapshot BeginSnapshot() => new TensorSet();

        public override TensorSource CopyParameters() => new TensorSet();

        public override void Restore(TensorSource source) { }

        protected override void Dispose(bool disposing) { }
    }
}
