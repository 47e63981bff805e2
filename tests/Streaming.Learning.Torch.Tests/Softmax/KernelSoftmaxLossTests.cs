using Streaming.Kernels.Softmax;
using Streaming.Learning.Tests.Golden;
using Streaming.Learning.Torch.Cuda;
using Streaming.Learning.Torch.Softmax;
using Streaming.Learning.Torch.Tests.Cuda;
using Streaming.Learning.Torch.Tests.Devices;
using Streaming.Models.Layers;
using Streaming.Models.Options;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Tests.Softmax;

public class KernelSoftmaxLossTests : SoftmaxLossContract
{
    public static TheoryData<bool, LogQCorrection, bool, int> Variants =>
        new(
            from cosine in new[] { false, true }
            from correction in Enum.GetValues<LogQCorrection>()
            from exact in new[] { true, false }
            from firstNegative in new[] { 0, Rows }
            select (cosine, correction, exact, firstNegative)
        );

    private const int Rows = 70;

    internal override ISoftmaxLoss Create(ModelOptions model) => Create(model, exact: true);

    // More rows and candidates than a block has, a bank in two segments, repeated items: every loop runs more than once, and none
    // ends at a boundary.
    [Theory]
    [MemberData(nameof(Variants))]
    public void Run_ManyBlocks_AgreesWithTorch(bool cosine, LogQCorrection correction, bool exact, int firstNegative)
    {
        var model = new ModelOptions
        {
            Widths = [8, 12, 32],
            Cosine = cosine,
            Temperature = cosine ? 0.2f : 3,
            LogQ = correction,
            WidthWeights = [1, 0.5f, 2],
        };
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        RequireAgreement(model, Problem(firstNegative), exact);
    }

    // Wide rows keep less in registers.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Run_WideRows_AgreesWithTorch(bool cosine)
    {
        var model = new ModelOptions
        {
            Widths = [4, 136, 256],
            Cosine = cosine,
            Temperature = cosine ? 0.2f : 9,
        };
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        RequireAgreement(model, Problem(0, 256), exact: true);
    }

    private static void RequireAgreement(ModelOptions model, SoftmaxProblem problem, bool exact)
    {
        using var reference = new NestedSoftmaxLoss(model, new Increments(model.Widths), TestDevice.Device);
        using KernelSoftmaxLoss kernels = Create(model, exact);

        SoftmaxResult expected = reference.Run(problem, 1000);
        SoftmaxResult actual = kernels.Run(problem, 1000);

        double tolerance = exact ? 5e-6 : 5e-3;
        Near.Equal("losses", expected.Losses.Numbers<double>(), actual.Losses.Numbers<double>(), tolerance);
        Near.Equal("user gradient", Doubles(expected.UserGradient!), actual.UserGradient!.Numbers<float>(), tolerance);
        Near.Equal("candidate gradient", Doubles(expected.CandidateGradient!), actual.CandidateGradient!.Numbers<float>(), tolerance);
    }

    [Fact]
    public void Run_Twice_RepeatsToTheBit()
    {
        var model = new ModelOptions { Widths = [8, 12, 32] };
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        using ISoftmaxLoss loss = Create(model);
        SoftmaxProblem problem = Problem(0);

        SoftmaxResult first = loss.Run(problem, 1000);
        SoftmaxResult second = loss.Run(problem, 1000);

        Assert.Equal(first.Losses.Numbers<double>(), second.Losses.Numbers<double>());
        Assert.Equal(first.UserGradient!.Numbers<float>(), second.UserGradient!.Numbers<float>());
        Assert.Equal(first.CandidateGradient!.Numbers<float>(), second.CandidateGradient!.Numbers<float>());
    }

    [Theory]
    [InlineData("user")]
    [InlineData("candidate")]
    [InlineData("bank")]
    public void Run_NotANumberAnywhere_ReachesTheLoss(string where)
    {
        var model = new ModelOptions { Widths = [8, 12, 32] };
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        using ISoftmaxLoss loss = Create(model);
        SoftmaxProblem problem = Problem(0);
        Tensor target = where switch
        {
            "user" => problem.Users,
            "candidate" => problem.Own.Vectors,
            _ => problem.Bank[1].Vectors,
        };
        target[37, 5] = float.NaN;

        SoftmaxResult result = loss.Run(problem, 1000);

        Assert.All(result.Losses.Numbers<double>()[1..], value => Assert.False(double.IsFinite(value)));
    }

    private static KernelSoftmaxLoss Create(ModelOptions model, bool exact) =>
        new(model, SoftmaxKernels.Compile(TestKernels.Device(), [.. model.Widths], model.Cosine, exact), TestDevice.Device);

    private static double[] Doubles(Tensor values) => values.to_type(ScalarType.Float64).Numbers<double>();

    private static SoftmaxProblem Problem(int firstNegative, int dimension = 32)
    {
        using Generator generator = random.manual_seed(3);
        const int own = 101,
            entries = 120;
        Tensor users = randn(Rows, dimension).mul_(0.5).There();
        var all = new CandidateBlock(
            randn(own + entries, dimension).mul_(0.5).There(),
            randint(0, 60, own + entries, dtype: ScalarType.Int64).There(),
            rand(own + entries).add_(0.01).log_().sub_(2).There()
        );
        all.LogQ[own + 7] = float.PositiveInfinity;
        Tensor shares = rand(Rows, dtype: ScalarType.Float64).There();
        return new SoftmaxProblem(
            users,
            all.Slice(0, own),
            firstNegative,
            [all.Slice(own, 45), all.Slice(own + 45, entries - 45)],
            shares.div_(shares.sum())
        );
    }
}
