using System.Runtime.InteropServices;
using Streaming.Models.Layers;
using Streaming.Models.Options;
using Streaming.Models.Slices;
using Streaming.Models.State;
using Streaming.Models.Tests.Layers;
using Streaming.Models.Towers;
using Xunit;

namespace Streaming.Models.Tests.Slices;

public sealed class ModelSlicerTests
{
    public static TheoryData<TowerKind> Towers => [.. Enum.GetValues<TowerKind>()];

    [Fact]
    public void At_AWidth_KeepsItAndWhatIsNarrower()
    {
        ModelOptions model = Options(TowerKind.FmrlRec) with { WidthWeights = [1, 2, 3], Dropout = [0.1f, 0.2f, 0.3f] };

        ModelOptions at = ModelSlicer.At(model, 8);

        Assert.Equal([4, 8], at.Widths);
        Assert.Equal([1, 2], at.WidthWeights);
        Assert.Equal([0.1f, 0.2f], at.Dropout);
        Assert.Equal([0.2f], ModelSlicer.At(model with { Dropout = [0.2f] }, 4).Dropout);
    }

    [Fact]
    public void At_WidthThatIsNotOfTheModel_NamesThoseAllowed()
    {
        ArgumentException refused = Assert.Throws<ArgumentException>(() => ModelSlicer.At(Options(TowerKind.FmrlRec), 16));

        Assert.Contains("width is 16; allowed: 4, 8, 20.", refused.Message, StringComparison.Ordinal);
    }

    /// <summary>Each tensor of the narrow model is the leading block of the wide one's: rows and columns cut, nothing moved.</summary>
    [Theory]
    [MemberData(nameof(Towers))]
    public void Slice_EachTensor_IsTheLeadingBlock(TowerKind tower)
    {
        TensorsInMemory wide = Model(Options(tower));

        foreach (int width in (int[])[4, 8, 20])
        {
            using TensorSource slice = ModelSlicer.Slice(wide, Options(tower), width);
            Assert.NotEmpty(slice.Tensors);
            Assert.All(
                slice.Tensors,
                (info, i) =>
                {
                    TensorInfo whole = wide.Tensors.Single(tensor => tensor.Name == info.Name);
                    int columns = (int)info.Shape[^1],
                        stride = (int)whole.Shape[^1];
                    float[] values = wide.Values(info.Name);
                    float[] expected =
                    [
                        .. Enumerable
                            .Range(0, (int)(info.ElementCount() / columns))
                            .SelectMany(row => values[(row * stride)..((row * stride) + columns)]),
                    ];
                    Assert.Equal(expected, Read(slice, i));
                }
            );
        }
    }

    [Fact]
    public void Slice_OfASlice_IsTheSliceOfTheModel()
    {
        ModelOptions model = Options(TowerKind.FmrlRec);
        using TensorSource direct = ModelSlicer.Slice(Model(model), model, 4);
        using TensorSource middle = ModelSlicer.Slice(Model(model), model, 8);

        using TensorSource twice = ModelSlicer.Slice(middle, ModelSlicer.At(model, 8), 4);

        Assert.Equal(direct.Tensors.Select(info => info.Name), twice.Tensors.Select(info => info.Name));
        Assert.All(direct.Tensors, (_, i) => Assert.Equal(Read(direct, i), Read(twice, i)));
    }

    [Fact]
    public void Slice_WithoutProjection_HasTheTowerAlone()
    {
        ModelOptions model = Options(TowerKind.Gru4Rec);

        using TensorSource slice = ModelSlicer.Slice(Model(model), model, 8, projection: false);

        Assert.All(slice.Tensors, info => Assert.StartsWith("tower.", info.Name, StringComparison.Ordinal));
    }

    [Fact]
    public void Slice_TensorMissing_IsNamed()
    {
        TensorsInMemory source = Model(Options(TowerKind.Gru4Rec));
        source.Remove("tower.start");

        StateMismatchException refused = Assert.Throws<StateMismatchException>(() =>
            ModelSlicer.Slice(source, Options(TowerKind.Gru4Rec), 8)
        );

        Assert.Contains("tower.start is missing", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Slice_TensorTooSmall_SaysBothShapes()
    {
        TensorsInMemory source = Model(Options(TowerKind.Gru4Rec));
        source.Remove("tower.start");
        source.Add("tower.start", new float[6], 6);

        StateMismatchException refused = Assert.Throws<StateMismatchException>(() =>
            ModelSlicer.Slice(source, Options(TowerKind.Gru4Rec), 8)
        );

        Assert.Contains("tower.start is F32 [6]; the model at this width needs F32 [8] or more", refused.Message, StringComparison.Ordinal);
    }

    private static ModelOptions Options(TowerKind tower) =>
        new()
        {
            Tower = tower,
            Widths = [4, 8, 20],
            Layers = 2,
            HistoryLength = 6,
            Interests = 2,
            FeatureGroups = [new("text", 5)],
            Dropout = [0f],
        };

    private static TensorsInMemory Model(ModelOptions options)
    {
        var set = new ParameterSet();
        _ = new ItemProjection(set, options);
        _ = UserTower.Create(set, options, new Increments(options.Widths));
        return TensorsInMemory.Of(Gradients.Allocate(set, new Random(3)));
    }

    private static float[] Read(TensorSource source, int tensor)
    {
        float[] values = new float[source.Tensors[tensor].ElementCount()];
        source.Read(tensor, 0, MemoryMarshal.AsBytes(values.AsSpan()));
        return values;
    }
}
