using Streaming.Learning.Tests.Golden;
using Streaming.Learning.Torch.Modules;
using Streaming.Learning.Torch.State;
using Streaming.Learning.Torch.Tests.Devices;
using Streaming.Models.Layers;
using Streaming.Models.State;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Tests.Modules;

public class LruModuleTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void Forward_GoldenVector_MatchesPyTorch(int index)
    {
        GoldenLru golden = GoldenVectors.Read().Lru[index];
        using DisposeScope scope = NewDisposeScope();
        (ParameterSet? set, Increments? widths) = Declare(golden);
        using var dense = new DenseParameters(set, TestDevice.Device);
        using var module = new LruModule(dense, "lru", widths);
        Tensor inputs = tensor(golden.Inputs, [golden.Steps, widths.Dimension], dtype: ScalarType.Float32).There().requires_grad_();

        Tensor outputs = module.forward(inputs, golden.Steps, null);
        outputs.mul(tensor(golden.Direction, [golden.Steps, widths.Dimension], dtype: ScalarType.Float32).There()).sum().backward();

        Near.Equal("outputs", golden.Outputs, outputs.Numbers<float>(), 2e-6);
        Near.Equal("input gradients", golden.InputGradients, inputs.grad!.Numbers<float>(), 5e-6);
        foreach ((string? name, double[]? expected) in golden.ParameterGradients)
        {
            Near.Equal(
                name,
                expected,
                dense.Place(dense.Gradients, set.All.Single(parameter => parameter.Name == "lru." + name)).Numbers<float>(),
                1e-5
            );
        }
    }

    [Fact]
    public void Forward_SelectedSteps_AreRowsOfAll()
    {
        GoldenLru golden = GoldenVectors.Read().Lru[2];
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        (ParameterSet? set, Increments? widths) = Declare(golden);
        using var dense = new DenseParameters(set, TestDevice.Device);
        using var module = new LruModule(dense, "lru", widths);
        Tensor inputs = tensor(golden.Inputs, [golden.Steps, widths.Dimension], dtype: ScalarType.Float32).There();
        Tensor all = module.forward(inputs.repeat(3, 1), golden.Steps, null);

        Tensor rows = tensor([19L, 23L, 59L]).There();
        Tensor selected = module.forward(inputs.repeat(3, 1), golden.Steps, rows);

        Assert.True(selected.allclose(all.index_select(0, rows), 1e-6, 1e-6));
        Assert.True(all.narrow(0, 40, 20).equal(all.narrow(0, 0, 20)).all().item<bool>());
    }

    private static (ParameterSet Set, Increments Widths) Declare(GoldenLru golden)
    {
        var set = new ParameterSet();
        var widths = new Increments(golden.Widths);
        _ = new Lru(set, "lru", widths);
        set.Allocate();
        foreach (Parameter parameter in set.All)
        {
            golden.Parameters[parameter.Name["lru.".Length..]].CopyTo(set.Value(parameter));
        }

        return (set, widths);
    }
}
