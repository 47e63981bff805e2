using Streaming.Learning.Cpu;
using Streaming.Learning.Tests.Cpu;
using Streaming.Learning.Tests.Engine;
using Streaming.Models.Options;
using Streaming.Models.Slices;
using Streaming.Models.State;
using Xunit;

namespace Streaming.Learning.Tests.Towers;

public sealed class PrefixTests
{
    public static TheoryData<TowerKind, NormPlacement> Towers =>
        new()
        {
            { TowerKind.FmrlRec, NormPlacement.Before },
            { TowerKind.FmrlRec, NormPlacement.After },
            { TowerKind.YoutubeDnn, NormPlacement.Before },
            { TowerKind.Gru4Rec, NormPlacement.Before },
            { TowerKind.Mind, NormPlacement.Before },
        };

    [Theory]
    [MemberData(nameof(Towers))]
    public void Slice_EveryWidth_GivesThePrefixOfTheFullModel(TowerKind tower, NormPlacement norm)
    {
        ModelOptions options = TestEngines.Options(tower) with { Norm = norm, OutputNorm = true, OutputLinear = true };
        using CpuEngine engine = TestEngines.Create(options);
        TestEngines.Train(engine, 6);
        using TensorSnapshot snapshot = engine.BeginSnapshot();
        var batch = new RandomBatch(9, 10, options.HistoryLength, TestEngines.Items);
        int d = options.Dimension;
        float[] full = new float[10 * options.VectorsPerUser * d];
        engine.EncodeUsers(batch.Sequences, full);
        float[] items = new float[batch.Rows.Length * d];
        engine.EncodeItems(batch.Rows, items);

        foreach (int width in options.Widths)
        {
            using TensorSource slice = ModelSlicer.Slice(snapshot, options, width);
            var encoder = new UserEncoder(ModelSlicer.At(options, width), width, slice);
            float[] vectors = new float[encoder.VectorLength];
            for (int s = 0; s < 10; s++)
            {
                encoder.Encode(Columns(items, d, width, batch.Offsets[s], batch.Offsets[s + 1]), vectors);
                for (int j = 0; j < options.VectorsPerUser; j++)
                {
                    Near(full.AsSpan(((s * options.VectorsPerUser) + j) * d, width), vectors.AsSpan(j * width, width), 1e-6);
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Towers))]
    public void Forward_LaterColumnsChanged_EarlierOutputsStay(TowerKind tower, NormPlacement norm)
    {
        ModelOptions options = TestEngines.Options(tower) with { Norm = norm };
        using CpuEngine engine = TestEngines.Create(options);
        using TensorSnapshot snapshot = engine.BeginSnapshot();
        var encoder = new UserEncoder(options, options.Dimension, snapshot);
        var random = new Random(4);
        int d = options.Dimension;
        float[] items = [.. Enumerable.Range(0, 7 * d).Select(_ => random.NextSingle() - 0.5f)];
        float[] before = new float[encoder.VectorLength];
        encoder.Encode(items, before);
        foreach (int width in options.Widths.Take(options.Widths.Count - 1))
        {
            float[] changed = [.. items.Select((value, i) => i % d < width ? value : random.NextSingle())];
            float[] after = new float[encoder.VectorLength];
            encoder.Encode(changed, after);
            for (int j = 0; j < options.VectorsPerUser; j++)
            {
                Assert.True(before.AsSpan(j * d, width).SequenceEqual(after.AsSpan(j * d, width)), $"width {width} saw columns beyond it");
                Assert.False(before.AsSpan(j * d, d).SequenceEqual(after.AsSpan(j * d, d)));
            }
        }
    }

    [Theory]
    [InlineData(TowerKind.FmrlRec, NormPlacement.Before)]
    [InlineData(TowerKind.FmrlRec, NormPlacement.After)]
    [InlineData(TowerKind.YoutubeDnn, NormPlacement.Before)]
    [InlineData(TowerKind.Gru4Rec, NormPlacement.Before)]
    public void Advance_EventByEvent_EqualsTheWholeHistory(TowerKind tower, NormPlacement norm)
    {
        ModelOptions options = TestEngines.Options(tower) with { Norm = norm, OutputNorm = true, OutputLinear = true };
        using CpuEngine engine = TestEngines.Create(options);
        TestEngines.Train(engine, 6);
        using TensorSnapshot snapshot = engine.BeginSnapshot();
        int[] rows = [.. Enumerable.Range(3, options.HistoryLength)];
        foreach (int width in options.Widths)
        {
            var encoder = new UserEncoder(options, width, snapshot);
            float[] items = new float[rows.Length * options.Dimension];
            engine.EncodeItems(rows, items);
            float[] cut = Columns(items, options.Dimension, width, 0, rows.Length);
            (float[]? state, float[]? vector, float[]? whole) = (new float[encoder.StateLength], new float[width], new float[width]);
            encoder.Begin(state, vector);
            for (int t = 0; t <= rows.Length; t++)
            {
                encoder.Encode(cut.AsSpan(0, t * width), whole);
                Near(whole, vector, 1e-5);
                if (t < rows.Length)
                {
                    encoder.Advance(cut.AsSpan(t * width, width), state, vector);
                }
            }
        }
    }

    [Fact]
    public void Advance_TowerWithoutState_IsRefused()
    {
        using CpuEngine engine = TestEngines.Create(TestEngines.Options(TowerKind.Mind));
        using TensorSnapshot snapshot = engine.BeginSnapshot();
        var encoder = new UserEncoder(engine.Model, 8, snapshot);
        Assert.Equal(0, encoder.StateLength);
        Assert.Throws<NotSupportedException>(() => encoder.Advance(new float[8], [], new float[24]));
    }

    [Fact]
    public void At_WidthThatIsNotNested_NamesThoseAllowed()
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => ModelSlicer.At(TestEngines.Options(TowerKind.FmrlRec), 16));
        Assert.Contains("4, 8, 20, 32", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Step_MindInTheMiddleOfAHistory_IsRefused()
    {
        using CpuEngine engine = TestEngines.Create(TestEngines.Options(TowerKind.Mind));
        var batch = new RandomBatch(1, 4, 12, TestEngines.Items, everyStep: true);
        ArgumentException error = Assert.Throws<ArgumentException>(() => engine.Step(batch.Batch));
        Assert.Contains("last step", error.Message, StringComparison.Ordinal);
    }

    private static float[] Columns(float[] rows, int d, int width, int first, int end)
    {
        float[] cut = new float[(end - first) * width];
        for (int r = first; r < end; r++)
        {
            rows.AsSpan(r * d, width).CopyTo(cut.AsSpan((r - first) * width));
        }

        return cut;
    }

    private static void Near(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual, double tolerance)
    {
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.True(
                Math.Abs(expected[i] - actual[i]) <= tolerance * Math.Max(1, Math.Abs(expected[i])),
                $"[{i}]: {actual[i]}, expected {expected[i]}."
            );
        }
    }
}
