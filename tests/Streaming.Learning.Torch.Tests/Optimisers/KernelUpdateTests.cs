using Streaming.Learning.Torch.Cuda;
using Streaming.Learning.Torch.Items;
using Streaming.Learning.Torch.Optimisers;
using Streaming.Learning.Torch.Softmax;
using Streaming.Learning.Torch.State;
using Streaming.Learning.Torch.Tests.Cuda;
using Streaming.Learning.Torch.Tests.Devices;
using Streaming.Models.Options;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Tests.Optimisers;

/// <summary>The decision on a step; the values of an update are compared by KernelAgreementTests.</summary>
public sealed class KernelUpdateTests : IDisposable
{
    private const int Rows = 5;
    private static readonly ModelOptions Model = new()
    {
        Widths = [8, 48],
        ItemCapacity = 20,
        ClipNorm = 3,
    };
    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly DenseParameters _dense = new(ModelDeclaration.Create(Model), TestDevice.Device);
    private readonly DeviceItems _items = new(Model, TestDevice.Device);

    public static TheoryData<float, double> NotFinite =>
        new()
        {
            { float.NaN, 1 },
            { float.PositiveInfinity, 1 },
            { 1, double.NaN },
            { 1, double.NegativeInfinity },
        };

    [Fact]
    public void Apply_FiniteStep_ReportsLossesNormAndUpdates()
    {
        Tensor applies = Apply(gradient: 2, loss: 0.5, out Tensor summary);

        // One dense gradient and one of an item row, of 2 each.
        Assert.Equal([0.5, 1, Math.Sqrt(8), 1], summary.Numbers<double>());
        Assert.Equal([true], applies.Numbers<bool>());
    }

    [Theory]
    [MemberData(nameof(NotFinite))]
    public void Apply_NotFinite_ChangesNothing(float gradient, double loss)
    {
        Apply(gradient: 1, loss: 1, out _);
        float[][] before = State();

        Tensor applies = Apply(gradient, loss, out Tensor summary);

        Assert.Equal([false], applies.Numbers<bool>());
        Assert.Equal(before, State());
        Assert.Equal(1, summary.Numbers<double>()[^1]);
        Assert.Equal([1.0], _items.Updates.view(1).Numbers<double>());
    }

    // The first update of Adam has the size of the learning rate, whatever the gradient's.
    [Fact]
    public void Apply_RowsOfTheStep_AloneMove()
    {
        float[] before = _items.Embeddings.Numbers<float>();

        Apply(gradient: 1, loss: 1, out _);

        float[] after = _items.Embeddings.Numbers<float>();
        int[] moved = [.. Enumerable.Range(0, before.Length).Where(i => before[i] != after[i])];
        Assert.Equal([3 * Model.Dimension], moved);
        Assert.Equal(before[moved[0]] - 0.01f, after[moved[0]], 1e-6f);
    }

    public void Dispose()
    {
        _dense.Dispose();
        _items.Dispose();
        _scope.Dispose();
    }

    private float[][] State() =>
        [
            _dense.Values.Numbers<float>(),
            _dense.FirstMoments.Numbers<float>(),
            _dense.SecondMoments.Numbers<float>(),
            _items.Embeddings.Numbers<float>(),
            _items.FirstMoments.Numbers<float>(),
            _items.SecondMoments.Numbers<float>(),
        ];

    private Tensor Apply(float gradient, double loss, out Tensor summary)
    {
        using IDisposable noGrad = no_grad();
        using var update = new KernelUpdate(UpdateKernels.Compile(TestKernels.Device(), [.. Model.Widths]), _dense, _items, Model);
        _dense.Gradients.zero_();
        _dense.Gradients[3] = gradient;
        Tensor ids = zeros(Rows, Model.Dimension).There();
        ids[2, 0] = gradient;
        // The last place has no row of its own.
        var rows = new RowGradients(tensor(new long[] { 7, 1, 3, 19, 3 }).There(), ids, tensor(new[] { Rows - 1 }).There());
        var gradients = new StepGradients(tensor(new double[] { loss, 1 }).There(), rows, new CandidateBlock(ids, ids, ids));
        return update.Apply(gradients, learningRate: 0.01f, out summary);
    }
}
