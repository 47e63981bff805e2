using Streaming.Learning.Tests.Golden;
using Streaming.Learning.Torch.Cuda;
using Streaming.Learning.Torch.Fused;
using Streaming.Learning.Torch.Modules;
using Streaming.Learning.Torch.State;
using Streaming.Learning.Torch.Tests.Cuda;
using Streaming.Learning.Torch.Tests.Devices;
using Streaming.Learning.Torch.Towers;
using Streaming.Models.Layers;
using Streaming.Models.Options;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Tests.Fused;

/// <summary>The kernels' tower against the modules' with autograd, in a shape with rows of several groups per lane, and more rows and
/// sequences than blocks.</summary>
public class FusedFmrlRecTests
{
    private const int Sequences = 19;
    private const int Steps = 7;

    private static readonly ModelOptions Model = new()
    {
        Widths = [16, 52, 144],
        Layers = 2,
        Dropout = [0],
    };

    public static TheoryData<NormPlacement, bool, bool, bool> Variants =>
        new()
        {
            { NormPlacement.Before, true, false, false },
            { NormPlacement.Before, false, true, false },
            { NormPlacement.After, true, true, false },
            { NormPlacement.After, false, false, false },
            { NormPlacement.Before, true, true, true },
            { NormPlacement.After, true, false, true },
        };

    [Theory]
    [MemberData(nameof(Variants))]
    public void Backward_LargeShape_AgreesWithAutograd(NormPlacement norm, bool inputNorm, bool output, bool bfloat16)
    {
        ModelOptions model = Model with { Norm = norm, InputNorm = inputNorm, OutputNorm = output, OutputLinear = output };
        using DisposeScope scope = NewDisposeScope();
        using var expected = new Tower(model);
        using var actual = new Tower(model);
        using Generator generator = random.manual_seed(5);
        Tensor items = randn(Sequences * Steps, model.Dimension).There();
        Tensor predictions = tensor(new long[] { 2, 6, 20, 27, 41, 60, 62, 88, 90, 111, 132 }).There();
        Tensor gradient = randn(predictions.shape[0], model.Dimension).There();

        Tensor leaf = items.detach().clone().requires_grad_();
        Tensor users = TowerModule
            .Create(expected.Dense, model, new Increments(model.Widths), expected.Dropout)
            .forward(new TowerInput(leaf, Steps, predictions));
        autograd.backward([users], [gradient]);
        using IDisposable noGrad = no_grad();
        expected.Dense.MaskGradients();
        using var fused = new FusedFmrlRec(actual.Calls(TestKernels.Device(), bfloat16), actual.Dense, model);
        Tensor fusedUsers = fused.Forward(new RowSource { Table = KernelCall.Address(items) }, Sequences * Steps, Steps, predictions);
        Tensor byItems = fused.Backward(gradient);
        actual.Dense.MaskGradients();

        // A bfloat16 is rounded by up to 0.4 %.
        double loss = bfloat16 ? 1500 : 1;
        Near.Equal("users", Doubles(users), fusedUsers.Numbers<float>(), 1e-5 * loss);
        Near.Equal("gradient by items", Doubles(leaf.grad!), byItems.Numbers<float>(), 2e-5 * loss);
        foreach (Models.State.Parameter parameter in expected.Dense.Declared)
        {
            Near.Equal(
                parameter.Name,
                Doubles(expected.Dense.Place(expected.Dense.Gradients, parameter)),
                actual.Dense.Place(actual.Dense.Gradients, parameter).Numbers<float>(),
                5e-5 * loss
            );
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Backward_Twice_RepeatsToTheBit(bool bfloat16)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        ModelOptions model = Model with { Dropout = [0.3f] };
        using Generator generator = random.manual_seed(6);
        Tensor items = randn(Sequences * Steps, model.Dimension).There();
        Tensor predictions = arange(0, Sequences * Steps, 3, dtype: ScalarType.Int64).There();
        Tensor gradient = randn(predictions.shape[0], model.Dimension).There();

        (float[] Items, float[] Dense)[] runs = [.. Enumerable.Range(0, 2).Select(_ => Run(model, items, predictions, gradient, bfloat16))];

        Assert.Equal(runs[0].Items, runs[1].Items);
        Assert.Equal(runs[0].Dense, runs[1].Dense);
        Assert.Contains(runs[0].Dense, value => value != 0);
    }

    private static (float[] Items, float[] Dense) Run(ModelOptions model, Tensor items, Tensor predictions, Tensor gradient, bool bfloat16)
    {
        using var tower = new Tower(model);
        tower.Dropout.Begin(9);
        using var fused = new FusedFmrlRec(tower.Calls(TestKernels.Device(), bfloat16), tower.Dense, model);
        fused.Forward(new RowSource { Table = KernelCall.Address(items) }, Sequences * Steps, Steps, predictions);
        return (fused.Backward(gradient).Numbers<float>(), tower.Dense.Gradients.Numbers<float>());
    }

    private static double[] Doubles(Tensor values) => values.detach().to_type(ScalarType.Float64).Numbers<double>();

    // Parameters with gradients, and what a tower needs beside them.
    private sealed class Tower(ModelOptions model) : IDisposable
    {
        public DenseParameters Dense { get; } = new(ModelDeclaration.Create(model), TestDevice.Device);

        public DropoutSource Dropout { get; } = new(model, new Increments(model.Widths), TestDevice.Device);

        public FusedCalls Calls(IKernelDevice device, bool bfloat16) =>
            new(TowerKernels.Compile(device, [.. model.Widths], bfloat16), Dropout, model.Dimension);

        public void Dispose()
        {
            Dense.Dispose();
            Dropout.Dispose();
        }
    }
}
