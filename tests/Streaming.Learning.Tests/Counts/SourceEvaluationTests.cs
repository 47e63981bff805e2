using Streaming.Core.Ingestion;
using Streaming.Learning.Counts;
using Streaming.Learning.Evaluation;
using Streaming.Learning.Replay;
using Streaming.Learning.Tests.Training;
using Streaming.Learning.Training;
using Streaming.Models.Batches;
using Streaming.Models.Options;
using Streaming.Models.State;
using Xunit;

namespace Streaming.Learning.Tests.Counts;

/// <summary>Methods evaluated alongside the model, against the exact methods and plain code.</summary>
public class SourceEvaluationTests
{
    private const int Users = 12;
    private const int Items = 60;
    private const int BatchSize = 8;
    private static readonly PrequentialOptions Measures = new() { Cutoffs = [1, 3, 10] };

    [Fact]
    public void Train_Stream_SimpleMethodsEqualTheExactOnes()
    {
        using var engine = new FakeEngine(Model());
        using Trainer trainer = Create(engine);
        StreamingBaseline[] exact = [new IncrementalItemKnn(), new IncrementalMarkov(), new OwnLatest()];
        PrequentialEvaluator[] expected = [.. exact.Select(_ => new PrequentialEvaluator([0], Measures))];
        foreach (Batch batch in Stream(events: 3_000))
        {
            for (int i = 0; i < batch.Count; i++)
            {
                int[] history = [.. History(batch, i).Select(Number)];
                int item = Number(batch.ItemKeys[i]);
                for (int b = 0; b < exact.Length; b++)
                {
                    expected[b]
                        .Record(
                            [exact[b].Rank(0, history, item, batch.IsRepeat[i] ? [] : history)],
                            new ExampleKind(batch.IsRepeat[i], batch.IsKnownUser[i])
                        );
                    exact[b].Update(0, history, item);
                }
            }

            trainer.Train(batch);
        }

        Assert.Equal(["item-knn", "markov", "knn+markov", "own-latest", "counts", "fused 4", "fused 8"], trainer.SourceNames);
        foreach (
            EvaluationSegment segment in (EvaluationSegment[])
                [EvaluationSegment.NewItems, EvaluationSegment.Repeats, EvaluationSegment.NewUsers]
        )
        {
            for (int b = 0; b < exact.Length; b++)
            {
                RankingMetrics own = trainer.Sources!.Total(trainer.SourceNames.ToList().IndexOf(exact[b].Name), segment);
                Assert.Equal(expected[b].Total(0, segment).Count, own.Count);
                Assert.True(own.Count > 5, $"{segment} has {own.Count} examples.");

                // Scores are float32 here and float64 there: ties may differ in a few cases.
                Assert.All(
                    Measures.Cutoffs,
                    cutoff => Assert.Equal(expected[b].Total(0, segment).Recall(cutoff), own.Recall(cutoff), 0.003)
                );
            }
        }
    }

    [Fact]
    public void Train_Stream_FusedRanksEqualPlainCode()
    {
        using var engine = new FakeEngine(Model());
        using Trainer trainer = Create(engine);
        var knn = new Dictionary<(ulong, ulong), double>();
        var next = new Dictionary<(ulong, ulong), double>();
        var events = new Dictionary<ulong, double>();
        RankingMetrics[] counts = [new(Measures.Cutoffs), new(Measures.Cutoffs)];
        RankingMetrics[] fused = [new(Measures.Cutoffs), new(Measures.Cutoffs)];
        foreach (Batch batch in Stream(events: 600))
        {
            Dictionary<ulong, double>[] vectors = [.. Enumerable.Range(0, batch.Count).Select(i => Vectors(engine, trainer, batch, i))];
            for (int i = 0; i < batch.Count; i++)
            {
                ulong[] history = [.. History(batch, i)];
                ulong item = batch.ItemKeys[i];
                bool repeat = batch.IsRepeat[i];
                ulong[] listed = [.. events.Keys.Where(key => repeat || !history.Contains(key))];
                Dictionary<ulong, double> neighbours = listed.ToDictionary(
                    key => key,
                    key =>
                        history
                            .Reverse()
                            .Take(10)
                            .Select(
                                (seen, p) => Math.Pow(0.8, p) * knn.GetValueOrDefault((seen, key)) / Math.Sqrt(events[seen] * events[key])
                            )
                            .Sum()
                );
                Dictionary<ulong, double> successors = listed.ToDictionary(
                    key => key,
                    key => history.Length == 0 ? 0 : next.GetValueOrDefault((history[^1], key))
                );
                Dictionary<ulong, double> own = listed.ToDictionary(
                    key => key,
                    key => repeat && history.Contains(key) ? Array.LastIndexOf(history, key) + 1.0 : 0
                );
                var vector = listed.Where(vectors[i].ContainsKey).ToDictionary(key => key, key => vectors[i][key]);
                Dictionary<ulong, double> byCounts = listed.ToDictionary(
                    key => key,
                    key => Reciprocal(neighbours, key) + (Reciprocal(successors, key) / 2) + Reciprocal(own, key)
                );
                Dictionary<ulong, double> byBoth = listed.ToDictionary(key => key, key => byCounts[key] + Reciprocal(vector, key));
                counts[repeat ? 1 : 0].Add(Rank(byCounts, item));
                fused[repeat ? 1 : 0].Add(Rank(byBoth, item));
                events[item] = events.GetValueOrDefault(item) + 1;
                foreach (ulong seen in history[Math.Max(0, history.Length - 10)..].Where(seen => seen != item))
                {
                    knn[(seen, item)] = knn.GetValueOrDefault((seen, item)) + 1;
                    knn[(item, seen)] = knn.GetValueOrDefault((item, seen)) + 1;
                }

                if (history.Length > 0)
                {
                    next[(history[^1], item)] = next.GetValueOrDefault((history[^1], item)) + 1;
                }
            }

            trainer.Train(batch);
        }

        int place = trainer.SourceNames.ToList().IndexOf("counts");
        for (int segment = 0; segment < 2; segment++)
        {
            EvaluationSegment name = segment == 0 ? EvaluationSegment.NewItems : EvaluationSegment.Repeats;
            Assert.True(counts[segment].Count > 50);
            Assert.All(
                Measures.Cutoffs,
                cutoff => Assert.Equal(counts[segment].Recall(cutoff), trainer.Sources!.Total(place, name).Recall(cutoff), 0.01)
            );
            Assert.All(
                Measures.Cutoffs,
                cutoff => Assert.Equal(fused[segment].Recall(cutoff), trainer.Sources!.Total(place + 2, name).Recall(cutoff), 0.01)
            );
        }
    }

    [Fact]
    public void Train_CountsTurnedOff_MeasuresTheModelAlone()
    {
        using var engine = new FakeEngine(Model());
        using var trainer = new Trainer(engine, Options() with { Counts = new CountOptions { MaxBytes = 0 } });
        foreach (Batch batch in Stream(events: 100))
        {
            trainer.Train(batch);
        }

        Assert.Null(trainer.Sources);
        Assert.Empty(trainer.SourceNames);
        Assert.Equal(0, trainer.CountBytes);
        Assert.True(trainer.Evaluator.Total(0, EvaluationSegment.All).Count > 0);
    }

    /// <summary>A row reassigned to another item keeps none of its counts.</summary>
    [Fact]
    public void Train_ItemsComeAndGo_CountsBelongToTheItemNotToTheRow()
    {
        using var engine = new FakeEngine(Model() with { ItemCapacity = 16 });
        using Trainer trainer = Create(engine);
        for (int round = 0; round < 40; round++)
        {
            Batch batch = Batches.Create(sequence: round);
            for (int i = 0; i < 8; i++)
            {
                string before = $"i{(round * 8) + i - 1}";
                batch.Add($"i{(round * 8) + i}", [before]);
            }

            trainer.Train(batch);
        }

        // Every transition was seen once, so an item is followed by the next one or nothing: 16 rows served 320 items.
        foreach (int row in trainer.Items.Rows)
        {
            string item = trainer.Items.IdOf(row);
            string next = $"i{int.Parse(item[1..], System.Globalization.CultureInfo.InvariantCulture) + 1}";
            Assert.All(trainer.Counts.Successors.Keys(row).ToArray(), key => Assert.Equal(Batches.Key(next), key));
            Assert.InRange(trainer.Counts.EventsOf(row) / trainer.Counts.Unit, 0.99, 1.01);
        }
    }

    [Fact]
    public void Restore_StateOfBeforeThereWereCounts_IsReadAndCountsBegin()
    {
        using var engine = new FakeEngine(Model());
        using Trainer trainer = Create(engine);
        Batch[] stream = [.. Stream(events: 200)];
        foreach (Batch batch in stream[..20])
        {
            trainer.Train(batch);
        }

        using TrainerSnapshot snapshot = trainer.BeginSnapshot();
        using var old = new TensorsWithout(
            snapshot.Trainer,
            name => name.StartsWith("counts", StringComparison.Ordinal) || name is "evaluation.sources" or "evaluation.first_events"
        );
        using var engine2 = new FakeEngine(Model());
        using Trainer restored = Create(engine2);
        restored.Restore(snapshot.Engine, old);
        Assert.Equal(0, restored.Sources!.Total(0, EvaluationSegment.All).Count);
        restored.Train(stream[20]);
        Assert.Equal(stream[20].Count, restored.Sources.Total(0, EvaluationSegment.All).Count);
        Assert.Equal(trainer.Evaluator.Examples + stream[20].Count, restored.Evaluator.Examples);
    }

    private static ModelOptions Model() =>
        new()
        {
            Widths = [4, 8],
            Cosine = false,
            Temperature = 1,
            ItemCapacity = 256,
            HistoryLength = Batches.HistoryLength,
            BankCapacity = 64,
        };

    private static TrainerOptions Options() =>
        new()
        {
            Replay = new ReplayOptions { Ratio = 0, Capacity = 64 },
            EvaluateEvery = 1,
            EvaluationThreads = 1,
            Evaluation = Measures,
            Counts = new CountOptions { HalfLife = 1e18 },
        };

    private static Trainer Create(FakeEngine engine) => new(engine, Options());

    /// <summary>A few users over a few items, so that there are new items, repeats and ties.</summary>
    private static IEnumerable<Batch> Stream(int events)
    {
        var random = new Random(5);
        var histories = new Dictionary<int, List<string>>();
        for (long sequence = 0; sequence * BatchSize < events; sequence++)
        {
            Batch batch = Batches.Create(BatchSize, sequence);
            for (int i = 0; i < BatchSize; i++)
            {
                // Users come and go, so that some have no history.
                int user = random.Next(Users) + (int)(sequence / 40 * Users);
                List<string> history = histories.TryGetValue(user, out List<string>? known) ? known : histories[user] = [];
                string item =
                    random.Next(3) == 0 && history.Count > 0
                        ? history[random.Next(history.Count)]
                        : $"i{(int)(Items * random.NextDouble() * random.NextDouble())}";
                batch.Add(item, [.. history]);
                history.Add(item);
                if (history.Count > Batches.HistoryLength)
                {
                    history.RemoveAt(0);
                }
            }

            yield return batch;
        }
    }

    private static ReadOnlySpan<ulong> HistorySpan(Batch batch, int i) =>
        batch.HistoryItems.AsSpan(batch.HistoryOffsets[i]..batch.HistoryOffsets[i + 1]);

    private static ulong[] History(Batch batch, int i) => HistorySpan(batch, i).ToArray();

    private static int Number(ulong key) => Enumerable.Range(0, Items).First(item => Batches.Key($"i{item}") == key);

    /// <summary>Products of the user with all known items, at full width, with the engine's current state.</summary>
    private static Dictionary<ulong, double> Vectors(FakeEngine engine, Trainer trainer, Batch batch, int example)
    {
        int[] rows = [.. History(batch, example).Select(trainer.Items.RowOf)];
        float[] user = new float[engine.Model.Dimension];
        engine.EncodeUsers(new JaggedRows { Rows = rows, Offsets = [0, rows.Length] }, user);
        return trainer
            .Items.Rows.ToArray()
            .ToDictionary(
                trainer.Items.KeyOf,
                row => Enumerable.Range(0, user.Length).Sum(d => (double)user[d] * engine.Embedding(row)[d]) + 1_000
            );
    }

    /// <summary>1 / (40 + rank), rank from 0, ties at their mean rank; 0 for NaN.</summary>
    private static double Reciprocal(Dictionary<ulong, double> scores, ulong key)
    {
        double score = scores.GetValueOrDefault(key);
        return score <= 0
            ? 0
            : 1
                / (
                    40
                    + scores.Values.Count(other => other > score * (1 + 1e-9))
                    + ((scores.Values.Count(other => Math.Abs(other - score) <= score * 1e-9) - 1) / 2.0)
                );
    }

    private static TiedRank Rank(Dictionary<ulong, double> scores, ulong item) =>
        !scores.TryGetValue(item, out double score)
            ? TiedRank.Missing
            : new TiedRank(
                scores.Values.Count(other => other > score + 1e-7),
                scores.Values.Count(other => Math.Abs(other - score) <= 1e-7) - 1
            );

    /// <summary>A state without some of its tensors.</summary>
    private sealed class TensorsWithout(TensorSource whole, Func<string, bool> left) : TensorSource
    {
        private readonly int[] _kept = [.. Enumerable.Range(0, whole.Tensors.Count).Where(i => !left(whole.Tensors[i].Name))];

        public override IReadOnlyList<TensorInfo> Tensors => [.. _kept.Select(i => whole.Tensors[i])];

        public override void Read(int tensor, long byteOffset, Span<byte> destination) =>
            whole.Read(_kept[tensor], byteOffset, destination);

        protected override void Dispose(bool disposing) { }
    }
}
