using System.Runtime.InteropServices;
using Streaming.Kernels.Softmax;
using Streaming.Learning.Engine;
using Streaming.Models.Options;
using Streaming.Models.State;
using Xunit;

namespace Streaming.Learning.Tests.Engine;

/// <summary>
/// The contract of every training engine, through its public interface alone: losses, gradients, encodings, bank and state agree with a
/// plain float64 model. Derive from this to test another engine.
/// </summary>
/// <remarks>
/// Gradients are read off an update: with ε = 1, β = 0 and learning rate 1, AdamW moves a value by −g / (|g| + 1).
/// </remarks>
public abstract class TrainingEngineContract
{
    private const int Items = 14;

    // Differences cost two passes of the reference each; a few per tensor find what all of them would.
    private const int DifferencesPerTensor = 6;

    /// <summary>Towers and their variants.</summary>
    public static TheoryData<string> Models => [.. Variants.Keys];

    /// <summary>Losses and their variants.</summary>
    public static TheoryData<string> LossModels => [.. LossVariants.Keys];

    /// <summary>Gets the tolerance of a float32 engine against the float64 model, relative to the larger of value and 1.</summary>
    protected virtual double Tolerance => 2e-5;

    private static Dictionary<string, ModelOptions> Variants { get; } =
        new()
        {
            ["fmrlrec"] = Small(TowerKind.FmrlRec),
            ["fmrlrec, norms after"] = Small(TowerKind.FmrlRec) with { Norm = NormPlacement.After, InputNorm = false },
            ["fmrlrec, output map"] = Small(TowerKind.FmrlRec) with { Layers = 1, OutputNorm = true, OutputLinear = true },
            ["youtubednn"] = Small(TowerKind.YoutubeDnn),
            ["gru4rec"] = Small(TowerKind.Gru4Rec),
            ["mind"] = Small(TowerKind.Mind),
            ["mind cosine"] = Small(TowerKind.Mind) with { Cosine = true, Temperature = 0.2f },
            ["features only"] = Small(TowerKind.YoutubeDnn) with { ItemIds = false },
            ["ids only"] = Small(TowerKind.FmrlRec) with { FeatureGroups = [] },
        };

    private static Dictionary<string, ModelOptions> LossVariants { get; } =
        new()
        {
            ["cbns"] = Small(TowerKind.YoutubeDnn),
            ["cbns without correction"] = Small(TowerKind.YoutubeDnn) with { LogQ = LogQCorrection.None },
            ["cbns corrected"] = Small(TowerKind.YoutubeDnn) with { LogQ = LogQCorrection.Corrected },
            ["cbns cosine"] = Small(TowerKind.YoutubeDnn) with { Cosine = true, Temperature = 0.2f },
            ["cbns weighted"] = Small(TowerKind.YoutubeDnn) with { WidthWeights = [3, 0, 0.5f], Temperature = 2 },
            ["cbns masked by slot"] = Small(TowerKind.YoutubeDnn) with { HitMask = HitMask.Slot },
            ["cbns corrected, masked by slot"] = Small(TowerKind.YoutubeDnn) with
            {
                HitMask = HitMask.Slot,
                LogQ = LogQCorrection.Corrected,
            },
            ["inbatch"] = Small(TowerKind.YoutubeDnn) with { Loss = LossKind.InBatch },
            ["mns"] = Small(TowerKind.YoutubeDnn) with { Loss = LossKind.Mns },
            ["union"] = Small(TowerKind.YoutubeDnn) with { Loss = LossKind.Union },
            ["union cosine"] = Small(TowerKind.YoutubeDnn) with { Loss = LossKind.Union, Cosine = true, Temperature = 0.2f },
            ["union without correction"] = Small(TowerKind.YoutubeDnn) with { Loss = LossKind.Union, LogQ = LogQCorrection.None },
            ["union corrected"] = Small(TowerKind.YoutubeDnn) with { Loss = LossKind.Union, LogQ = LogQCorrection.Corrected },
            ["cbns distinct"] = Small(TowerKind.YoutubeDnn) with { DistinctBank = true },
            ["cbns distinct, corrected"] = Small(TowerKind.YoutubeDnn) with { DistinctBank = true, LogQ = LogQCorrection.Corrected },
            ["union distinct"] = Small(TowerKind.YoutubeDnn) with { Loss = LossKind.Union, DistinctBank = true },
            ["union masked by slot"] = Small(TowerKind.YoutubeDnn) with { Loss = LossKind.Union, HitMask = HitMask.Slot },
            ["uniform"] = Small(TowerKind.YoutubeDnn) with { Loss = LossKind.Uniform },
            ["full"] = Small(TowerKind.YoutubeDnn) with { Loss = LossKind.Full },
        };

    /// <summary>Creates the engine under test.</summary>
    protected abstract TrainingEngine Create(ModelOptions model);

    [Theory]
    [MemberData(nameof(Models))]
    public void Encode_AnyTower_AgreesWithReference(string model)
    {
        using TrainingEngine engine = Filled(Variants[model]);
        ModelOptions options = engine.Model;
        using TensorSnapshot snapshot = engine.BeginSnapshot();
        var reference = new ReferenceModel(options, snapshot);
        int[] rows = [.. Enumerable.Range(0, Items)];
        float[] items = new float[Items * options.Dimension];
        engine.EncodeItems(rows, items);
        Assert.All(rows, row => Near(reference.Item(row), items.AsSpan(row * options.Dimension, options.Dimension)));

        var batch = new RandomBatch(5, 9, options.HistoryLength, Items);
        int length = options.VectorsPerUser * options.Dimension;
        float[] users = new float[9 * length];
        engine.EncodeUsers(batch.Sequences, users);
        for (int s = 0; s < 9; s++)
        {
            Near(
                [.. reference.Users(batch.Rows[batch.Offsets[s]..batch.Offsets[s + 1]], s)[^1].SelectMany(vector => vector)],
                users.AsSpan(s * length, length)
            );
        }
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Step_AnyTower_GradientsAgreeWithReference(string model)
    {
        bool mind = Variants[model].Tower == TowerKind.Mind;
        CheckStep(Variants[model], new RandomBatch(11, 7, 6, Items, everyStep: !mind));
    }

    [Theory]
    [MemberData(nameof(LossModels))]
    public void Step_AnyLoss_GradientsAgreeWithReference(string model)
    {
        ModelOptions options = LossVariants[model];
        CheckStep(
            options,
            new RandomBatch(12, 8, 6, Items, negatives: options.Loss.DrawsUniformly() ? 5 : 0, catalogue: options.Loss == LossKind.Full)
            {
                DrawnFrom = options.Loss.MixesDraws() ? Items : 0,
            }
        );
    }

    /// <summary>More draws than items, so that items are drawn several times and every positive is among them; with an empty bank,
    /// and with one.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Step_UnionOfManyDraws_GradientsAgreeWithReference(bool withBank)
    {
        var batch = new RandomBatch(13, 6, 4, Items, negatives: 6 * Items) { DrawnFrom = Items };
        Assert.All(batch.Positives, positive => Assert.Contains(positive, batch.Negatives));
        CheckStep(Small(TowerKind.YoutubeDnn) with { Loss = LossKind.Union }, batch, withBank);
    }

    [Theory]
    [InlineData(LossKind.Union, LossKind.Cbns)]
    [InlineData(LossKind.Mns, LossKind.InBatch)]
    public void Step_NoUniformDraws_IsTheLossWithoutThemToTheBit(LossKind loss, LossKind without)
    {
        using TrainingEngine mixed = Filled(Small(TowerKind.FmrlRec) with { Loss = loss, BalanceBank = true });
        using TrainingEngine plain = Filled(Small(TowerKind.FmrlRec) with { Loss = without, BalanceBank = true });
        for (int step = 1; step <= 3; step++)
        {
            var batch = new RandomBatch(step, 8, 6, Items)
            {
                DrawnFrom = Items,
                Enqueue = loss.UsesBank(),
                BankEntries = loss.UsesBank() ? mixed.BankCount : 0,
                LearningRate = 0.01f,
                Step = step,
            };
            double expected = plain.Step(batch.Batch).Loss;
            Assert.Equal(expected, mixed.Step(batch.Batch).Loss);
        }

        Assert.Equal(State(plain), State(mixed));
    }

    [Fact]
    public void Step_UnionWithEmptyBank_IsMnsToTheBit()
    {
        var batch = new RandomBatch(3, 8, 6, Items, negatives: 9) { LearningRate = 0.01f, DrawnFrom = Items };
        using TrainingEngine union = Filled(Small(TowerKind.FmrlRec) with { Loss = LossKind.Union });
        using TrainingEngine mns = Filled(Small(TowerKind.FmrlRec) with { Loss = LossKind.Mns });
        Assert.Equal(mns.Step(batch.Batch).Loss, union.Step(batch.Batch).Loss);
        Assert.Equal(State(mns), State(union));
    }

    /// <summary>The bank keeps the p of the draw; the mixture belongs to a step.</summary>
    [Fact]
    public void Bank_OfAUnionStep_HoldsTheStreamsProbabilities()
    {
        using TrainingEngine engine = Filled(Small(TowerKind.YoutubeDnn) with { Loss = LossKind.Union });
        var batch = new RandomBatch(3, 8, 6, Items, negatives: 9) { Enqueue = true, DrawnFrom = Items };
        Assert.True(engine.Step(batch.Batch).IsApplied);

        using TensorSnapshot snapshot = engine.BeginSnapshot();
        int tensor = snapshot.Tensors.ToList().FindIndex(info => info.Name == "bank.log_q");
        float[] stored = new float[batch.LogQ.Length];
        snapshot.Read(tensor, 0, MemoryMarshal.AsBytes(stored.AsSpan()));
        Assert.Equal(batch.LogQ.Reverse(), stored);
    }

    [Fact]
    public void Step_BankEmpty_IsInBatchToTheBit()
    {
        var batch = new RandomBatch(3, 8, 6, Items) { LearningRate = 0.01f };
        using TrainingEngine cbns = Filled(Small(TowerKind.FmrlRec));
        using TrainingEngine inBatch = Filled(Small(TowerKind.FmrlRec) with { Loss = LossKind.InBatch });
        Assert.Equal(inBatch.Step(batch.Batch).Loss, cbns.Step(batch.Batch).Loss);
        Assert.Equal(State(inBatch), State(cbns));
    }

    [Theory]
    [InlineData(LossKind.Cbns, 0)]
    [InlineData(LossKind.Union, 7)]
    public void Step_BalancedBank_UsersLearnFromTheBankItemsFromTheBatch(LossKind loss, int negatives)
    {
        // Without clipping, momentum and features, a tower or item moves only by its own gradient.
        ModelOptions options = Small(TowerKind.YoutubeDnn) with
        {
            FeatureGroups = [],
            Beta1 = 0,
            Beta2 = 0,
            Epsilon = 1,
            ClipNorm = 0,
            BalanceBank = true,
            Loss = loss,
        };
        var batch = new RandomBatch(7, 6, 2, Items, negatives: negatives)
        {
            LearningRate = 0.5f,
            Step = 2,
            DrawnFrom = Items,
        };
        using TrainingEngine balanced = AfterBankStep(options, batch, useBank: true);
        using TrainingEngine published = AfterBankStep(options with { BalanceBank = false }, batch, useBank: true);
        using TrainingEngine inBatch = AfterBankStep(options, batch, useBank: false);

        Assert.Equal(Tower(published), Tower(balanced));
        Assert.NotEqual(Tower(inBatch), Tower(balanced));
        int[] targets = [.. batch.Positives.Except(batch.Rows)];
        Assert.NotEmpty(targets);
        Assert.Equal(Embeddings(inBatch, targets), Embeddings(balanced, targets));
        Assert.NotEqual(Embeddings(published, targets), Embeddings(balanced, targets));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Bank_MoreThanCapacity_KeepsNewestInOrder(bool distinct)
    {
        ModelOptions options = Small(TowerKind.YoutubeDnn) with { BankCapacity = 5, DistinctBank = distinct };
        using TrainingEngine engine = Filled(options);
        var expected = new List<(int Row, long Step, float[] Vector)>();
        foreach (int count in (int[])[2, 3, 1, 8, 2])
        {
            var batch = new RandomBatch(count, count, 4, Items)
            {
                Enqueue = true,
                Step = expected.Count + 1,
                LearningRate = 0.1f,
            };
            foreach (int row in batch.Positives)
            {
                float[] vector = new float[options.Dimension];
                engine.EncodeItems([row], vector);
                expected.Insert(0, (row, batch.Step, vector));
            }

            Assert.True(engine.Step(batch.Batch).IsApplied);
            (int Row, long Step, float[] Vector)[] kept = [.. (distinct ? expected.DistinctBy(entry => entry.Row) : expected).Take(5)];
            int bank = kept.Length;
            Assert.Equal(bank, engine.BankCount);
            (int[]? rows, long[]? steps, float[]? vectors) = (new int[bank], new long[bank], new float[bank * options.Dimension]);
            engine.ReadBank([.. Enumerable.Range(0, bank)], rows, steps, vectors);
            Assert.Equal(kept.Select(entry => entry.Row), rows);
            Assert.Equal(kept.Select(entry => entry.Step), steps);
            Near([.. kept.SelectMany(entry => entry.Vector).Select(value => (double)value)], vectors);
        }
    }

    [Fact]
    public void ForgetRow_InBank_IsNoLongerMasked()
    {
        using TrainingEngine engine = Filled(Small(TowerKind.YoutubeDnn));
        var batch = new RandomBatch(4, 6, 4, Items) { Enqueue = true };
        engine.Step(batch.Batch);
        int row = batch.Positives[0];
        int held = batch.Positives.Count(positive => positive == row);
        engine.ForgetRow(row);
        int bank = engine.BankCount;
        int[] rows = new int[bank];
        engine.ReadBank([.. Enumerable.Range(0, bank)], rows, new long[bank], new float[bank * engine.Model.Dimension]);
        Assert.Equal(held, rows.Count(entry => entry == -1));
        Assert.DoesNotContain(row, rows);
        using TensorSnapshot snapshot = engine.BeginSnapshot();
        batch.BankEntries = bank;
        Near(new ReferenceModel(engine.Model, snapshot).Losses(batch), engine.Step(batch.Batch).Losses.Span);
    }

    [Fact]
    public void Step_NotFinite_ChangesNothing()
    {
        using TrainingEngine engine = Filled(Small(TowerKind.FmrlRec));
        engine.Step(new RandomBatch(3, 8, 6, Items) { Enqueue = true, LearningRate = 0.01f }.Batch);
        byte[] before = State(engine);
        var broken = new RandomBatch(4, 8, 6, Items)
        {
            Enqueue = true,
            LearningRate = 0.01f,
            Step = 2,
        };
        broken.LogQ[3] = float.NaN;
        StepResult result = engine.Step(broken.Batch);
        Assert.False(result.IsApplied);
        Assert.False(double.IsFinite(result.Loss));
        Assert.Equal(before, State(engine));
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Restore_OfSnapshot_ContinuesIdentically(string model)
    {
        ModelOptions options = Variants[model] with { Dropout = [0.3f] };
        using TrainingEngine first = Filled(options);
        Train(first, 1, 4);
        using TrainingEngine second = Create(options);
        using (TensorSnapshot snapshot = first.BeginSnapshot())
        {
            second.Restore(snapshot);
        }

        Assert.Equal(State(first), State(second));
        Assert.Equal(Train(first, 5, 4), Train(second, 5, 4));
        Assert.Equal(State(first), State(second));
    }

    [Fact]
    public void CopyParameters_WhileASnapshotIsActive_GivesTheDenseValuesAlone()
    {
        using TrainingEngine engine = Filled(Small(TowerKind.FmrlRec));
        Train(engine, 1, 2);
        using TensorSnapshot snapshot = engine.BeginSnapshot();
        using TensorSource copy = engine.CopyParameters();
        Train(engine, 3, 2);

        Assert.All(
            copy.Tensors,
            tensor =>
                Assert.True(
                    tensor.Name.StartsWith("tower.", StringComparison.Ordinal)
                        || tensor.Name.StartsWith("items.projection.", StringComparison.Ordinal),
                    tensor.Name
                )
        );
        Assert.Equal(
            snapshot.Tensors.Count(tensor =>
                tensor.Name.StartsWith("tower.", StringComparison.Ordinal) && !tensor.Name.Contains(".adam_", StringComparison.Ordinal)
            ),
            copy.Tensors.Count(tensor => tensor.Name.StartsWith("tower.", StringComparison.Ordinal))
        );
        for (int i = 0; i < copy.Tensors.Count; i++)
        {
            (byte[]? expected, byte[]? actual) = (new byte[copy.Tensors[i].ByteCount()], new byte[copy.Tensors[i].ByteCount()]);
            copy.Read(i, 0, actual);
            snapshot.Read(snapshot.Tensors.ToList().FindIndex(tensor => tensor.Name == copy.Tensors[i].Name), 0, expected);
            Assert.Equal(expected, actual);
        }
    }

    [Fact]
    public void Restore_OtherShape_NamesTheTensor()
    {
        using TrainingEngine first = Filled(Small(TowerKind.FmrlRec));
        using TrainingEngine second = Create(Small(TowerKind.FmrlRec) with { Widths = [4, 8, 16] });
        using TrainingEngine third = Create(Small(TowerKind.Gru4Rec));
        using TensorSnapshot snapshot = first.BeginSnapshot();
        StateMismatchException shape = Assert.Throws<StateMismatchException>(() => second.Restore(snapshot));
        Assert.Contains("12", shape.Message, StringComparison.Ordinal);
        StateMismatchException name = Assert.Throws<StateMismatchException>(() => third.Restore(snapshot));
        Assert.Contains("tower.gru", name.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void InitializeRow_SameKey_SameEmbeddingWhateverTheOrder()
    {
        using TrainingEngine first = Create(Small(TowerKind.YoutubeDnn));
        using TrainingEngine second = Create(Small(TowerKind.YoutubeDnn));
        first.InitializeRow(0, 17);
        first.InitializeRow(1, 99);
        second.InitializeRow(1, 17);
        second.InitializeRow(0, 99);
        (float[]? a, float[]? b) = (new float[2 * 12], new float[2 * 12]);
        first.EncodeItems([0, 1], a);
        second.EncodeItems([1, 0], b);
        Assert.Equal(a, b);
        Assert.NotEqual(a[..12], a[12..]);
    }

    [Fact]
    public void Step_IdleRows_DecayAsDenseAdamWWould()
    {
        // One item is trained once, then idles while others are trained; its decay must be the product over all steps.
        ModelOptions options = Small(TowerKind.YoutubeDnn) with
        {
            FeatureGroups = [],
            IdWeightDecay = 0.1f,
        };
        using TrainingEngine engine = Filled(options);
        float[] before = new float[options.Dimension];
        engine.EncodeItems([13], before);
        double decay = 1;
        for (int step = 1; step <= 5; step++)
        {
            var batch = new RandomBatch(step, 5, 4, Items - 1) { LearningRate = 0.1f * step, Step = step };
            engine.Step(batch.Batch);
            decay *= 1 - (0.1 * step * 0.1);
        }

        float[] after = new float[options.Dimension];
        engine.EncodeItems([13], after);
        Near([.. before.Select(value => value * decay)], after);
    }

    /// <summary>All state as bytes.</summary>
    protected static byte[] State(TrainingEngine engine)
    {
        using TensorSnapshot snapshot = engine.BeginSnapshot();
        using var stream = new MemoryStream();
        for (int i = 0; i < snapshot.Tensors.Count; i++)
        {
            TensorInfo info = snapshot.Tensors[i];
            int size = info.Type switch
            {
                TensorType.I64 or TensorType.F64 or TensorType.U64 => 8,
                TensorType.U8 => 1,
                _ => 4,
            };
            byte[] bytes = new byte[info.Shape.Aggregate(1L, (product, dimension) => product * dimension) * size];
            snapshot.Read(i, 0, bytes);
            stream.Write(bytes);
        }

        return stream.ToArray();
    }

    /// <summary>A model small enough for finite differences.</summary>
    protected static ModelOptions Small(TowerKind tower) =>
        new()
        {
            Widths = [4, 8, 12],
            Tower = tower,
            Cosine = false,
            Temperature = 1,
            HistoryLength = 6,
            Interests = 3,
            ItemCapacity = Items,
            FeatureGroups = [new FeatureGroup("text", 3), new FeatureGroup("image", 2)],
            ItemDeviation = 0.5f,
            BankCapacity = 32,
            Dropout = [0],
            WeightDecay = 0,
            IdWeightDecay = 0,
            ClipNorm = 0,
        };

    private TrainingEngine Filled(ModelOptions options)
    {
        TrainingEngine engine = Create(options);
        var random = new Random(3);
        for (int row = 0; row < Items; row++)
        {
            engine.InitializeRow(row, (ulong)row * 31);
            if (options.FeatureLength > 0)
            {
                engine.SetFeatures(row, [.. Enumerable.Range(0, options.FeatureLength).Select(_ => random.NextSingle() - 0.5f)]);
            }
        }

        return engine;
    }

    private static double[] Train(TrainingEngine engine, int firstStep, int steps)
    {
        var losses = new List<double>();
        for (int step = firstStep; step < firstStep + steps; step++)
        {
            var batch = new RandomBatch(step, 6, 6, Items)
            {
                LearningRate = 0.01f,
                Step = step,
                Enqueue = true,
                BankEntries = engine.BankCount,
            };
            losses.Add(engine.Step(batch.Batch).Loss);
        }

        return [.. losses];
    }

    private TrainingEngine AfterBankStep(ModelOptions options, RandomBatch batch, bool useBank)
    {
        TrainingEngine engine = Filled(options);
        engine.Step(new RandomBatch(1, 9, 6, Items) { Enqueue = true }.Batch);
        batch.BankEntries = useBank ? engine.BankCount : 0;
        Assert.True(engine.Step(batch.Batch).IsApplied);
        return engine;
    }

    private static float[] Embeddings(TrainingEngine engine, int[] rows)
    {
        float[] embeddings = new float[rows.Length * engine.Model.Dimension];
        engine.EncodeItems(rows, embeddings);
        return embeddings;
    }

    private static List<float> Tower(TrainingEngine engine)
    {
        using TensorSnapshot snapshot = engine.BeginSnapshot();
        var values = new List<float>();
        for (int i = 0; i < snapshot.Tensors.Count; i++)
        {
            TensorInfo info = snapshot.Tensors[i];
            if (info.Name.StartsWith("tower.", StringComparison.Ordinal) && info.Type == TensorType.F32)
            {
                float[] tensor = new float[info.Shape.Aggregate(1L, (product, dimension) => product * dimension)];
                snapshot.Read(i, 0, MemoryMarshal.AsBytes(tensor.AsSpan()));
                values.AddRange(tensor);
            }
        }

        Assert.NotEmpty(values);
        return values;
    }

    private void CheckStep(ModelOptions options, RandomBatch batch, bool withBank = true)
    {
        // Balanced gradients do not belong to a single loss, so they are checked separately.
        ModelOptions reading = options with
        {
            BalanceBank = false,
            Beta1 = 0,
            Beta2 = 0,
            Epsilon = 1,
        };
        using TrainingEngine engine = Filled(reading);
        if (options.Loss.UsesBank() && withBank)
        {
            engine.Step(new RandomBatch(1, 9, 6, Items) { Enqueue = true }.Batch);
            batch.BankEntries = engine.BankCount;
        }

        ReferenceModel reference;
        using (TensorSnapshot snapshot = engine.BeginSnapshot())
        {
            reference = new ReferenceModel(reading, snapshot);
        }

        batch.LearningRate = 1;
        batch.Step = 2;
        StepResult result = engine.Step(batch.Batch);
        Near(reference.Losses(batch), result.Losses.Span);
        Assert.Equal(reference.Total(result.Losses.ToArray()), result.Loss, 1e-12);
        CompareGradients(engine, reference, batch, result.GradientNorm);
    }

    private void CompareGradients(TrainingEngine engine, ReferenceModel reference, RandomBatch batch, double norm)
    {
        double squares = 0;
        var random = new Random(8);
        using TensorSnapshot snapshot = engine.BeginSnapshot();
        foreach (string name in reference.Trained.ToList())
        {
            int tensor = snapshot.Tensors.ToList().FindIndex(info => info.Name == name);
            double[] old = reference.Tensor(name);
            float[] values = new float[old.Length];
            snapshot.Read(tensor, 0, MemoryMarshal.AsBytes(values.AsSpan()));
            for (int i = 0; i < values.Length; i++)
            {
                double moved = values[i] - old[i],
                    gradient = -moved / (1 - Math.Abs(moved));
                squares += gradient * gradient;
                if (random.Next(values.Length) >= DifferencesPerTensor)
                {
                    continue;
                }

                double expected = reference.Difference(batch, name, i);
                Assert.True(
                    Math.Abs(gradient - expected) <= 20 * Tolerance * Math.Max(1, Math.Abs(expected)),
                    $"{name}[{i}]: gradient {gradient}, differences say {expected}."
                );
            }
        }

        Assert.Equal(Math.Sqrt(squares), norm, 1e-3 * Math.Max(1, norm));
    }

    private void Near(ReadOnlySpan<double> expected, ReadOnlySpan<float> actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.True(
                Math.Abs(expected[i] - actual[i]) <= Tolerance * Math.Max(1, Math.Abs(expected[i])),
                $"[{i}]: {actual[i]}, the reference says {expected[i]}."
            );
        }
    }

    private void Near(ReadOnlySpan<double> expected, ReadOnlySpan<double> actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.True(
                Math.Abs(expected[i] - actual[i]) <= Tolerance * Math.Max(1, Math.Abs(expected[i])),
                $"[{i}]: {actual[i]}, the reference says {expected[i]}."
            );
        }
    }
}
