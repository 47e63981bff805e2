using Streaming.Kernels.Softmax;
using Streaming.Learning.Tests.Golden;
using Streaming.Learning.Torch.Softmax;
using Streaming.Learning.Torch.Tests.Devices;
using Streaming.Models.Options;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Tests.Softmax;

/// <summary>What both implementations of the loss must do: torch's operations and the kernels.</summary>
public abstract class SoftmaxLossContract
{
    public static TheoryData<string, int> Cases
    {
        get
        {
            var cases = new TheoryData<string, int>();
            foreach (GoldenSoftmax vector in GoldenVectors.Read().Softmax)
            {
                cases.Add(vector.Name, 1);
                cases.Add(vector.Name, 3);
                cases.Add(vector.Name, 1000);
            }

            return cases;
        }
    }

    public static TheoryData<string> Names => [.. GoldenVectors.Read().Softmax.Select(vector => vector.Name)];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Run_GoldenVectorInChunks_MatchesPyTorch(string name, int columns)
    {
        GoldenSoftmax golden = GoldenVectors.Read().Softmax.Single(vector => vector.Name == name);
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();

        using ISoftmaxLoss loss = Loss(golden);

        SoftmaxResult result = loss.Run(Problem(golden), columns);

        Near.Equal("losses", golden.Losses, result.Losses.Numbers<double>(), 2e-6);
        Near.Equal("user gradients", golden.UserGradients, result.UserGradient!.Numbers<float>(), 5e-6);
        Near.Equal("candidate gradients", golden.CandidateGradients, result.CandidateGradient!.Numbers<float>(), 5e-6);
    }

    [Fact]
    public void Run_CorrectedWithoutNegatives_IsZero()
    {
        GoldenSoftmax golden = GoldenVectors.Read().Softmax.Single(vector => vector.Name == "corrected");
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        SoftmaxProblem problem = Problem(golden);
        SoftmaxProblem alone = problem with
        {
            Users = problem.Users.narrow(0, 0, 1),
            Own = problem.Own.Slice(0, 1),
            Bank = [],
            Shares = ones(1, dtype: ScalarType.Float64, device: TestDevice.Device),
        };

        using ISoftmaxLoss loss = Loss(golden);

        SoftmaxResult result = loss.Run(alone, 8);

        Assert.Equal([0.0, 0.0, 0.0], result.Losses.Numbers<double>());
        Assert.All(result.UserGradient!.Numbers<float>(), value => Assert.Equal(0f, value));
    }

    [Fact]
    public void Run_ClassicWithHitsAlone_IsZero()
    {
        GoldenSoftmax golden = GoldenVectors.Read().Softmax.Single(vector => vector.Name == "classic");
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        SoftmaxProblem problem = Problem(golden);
        SoftmaxProblem hits = problem with { Own = problem.Own with { Rows = zeros_like(problem.Own.Rows) }, Bank = [] };

        using ISoftmaxLoss loss = Loss(golden);

        SoftmaxResult result = loss.Run(hits, 4);

        Assert.All(result.Losses.Numbers<double>(), value => Assert.Equal(0.0, value));
        Assert.All(result.UserGradient!.Numbers<float>(), value => Assert.Equal(0f, value));
        Assert.All(result.CandidateGradient!.Numbers<float>(), value => Assert.Equal(0f, value));
    }

    // Two columns: chunks of invalid entries only, before all others and after them.
    [Theory]
    [MemberData(nameof(Names))]
    public void Run_DeadBankEntries_ChangeNothing(string name)
    {
        GoldenSoftmax golden = GoldenVectors.Read().Softmax.Single(vector => vector.Name == name);
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        SoftmaxProblem problem = Problem(golden);
        var dead = new CandidateBlock(
            ones(4, 12).There(),
            full(4, -1L, dtype: ScalarType.Int64).There(),
            full(4, float.PositiveInfinity).There()
        );

        using ISoftmaxLoss loss = Loss(golden);

        CandidateBlock[] bank = [CandidateBlock.Join([dead, problem.Bank[0]]), CandidateBlock.Join([problem.Bank[1], dead])];

        SoftmaxResult with = loss.Run(problem with { Bank = bank }, 2);

        Near.Equal("losses", golden.Losses, with.Losses.Numbers<double>(), 2e-6);
        Near.Equal("user gradients", golden.UserGradients, with.UserGradient!.Numbers<float>(), 5e-6);
        Near.Equal("candidate gradients", golden.CandidateGradients, with.CandidateGradient!.Numbers<float>(), 5e-6);
    }

    // Logits hundreds apart, with each row's maximum in one chunk: nothing overflows, and what is lost is the rounding of a logit of
    // hundreds to float32.
    [Fact]
    public void Run_LogitsFarApart_LoseNothing()
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        using ISoftmaxLoss loss = Create(
            new ModelOptions
            {
                Widths = [4, 8],
                Temperature = 1,
                LogQ = LogQCorrection.None,
                Cosine = false,
            }
        );
        var own = new CandidateBlock(Spread(0, 1, -300, 2, 300, 3), arange(3, dtype: ScalarType.Int64).There(), zeros(3).There());

        SoftmaxResult result = loss.Run(new SoftmaxProblem(ones(1, 8).There(), own, 0, [], ones(1, dtype: ScalarType.Float64).There()), 1);

        Near.Equal("losses", [300, 302], result.Losses.Numbers<double>(), 5e-6);
        Near.Equal("user gradient", [300, 0, 0, 0, 1, 0, 0, 0], result.UserGradient!.Numbers<float>(), 5e-6);
        Near.Equal(
            "candidate gradients",
            [-1, -0.5, 0, 0, 1, 0.5],
            result.CandidateGradient!.narrow(0, 0, 3).index_select(1, tensor(new long[] { 0, 4 }).There()).Numbers<float>(),
            5e-6
        );
    }

    [Fact]
    public void Run_OneGradient_ComputesOnlyThat()
    {
        GoldenSoftmax golden = GoldenVectors.Read().Softmax.Single(vector => vector.Name == "classic, cosine");
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        using ISoftmaxLoss loss = Loss(golden);

        SoftmaxResult users = loss.Run(Problem(golden), 1000, SoftmaxGradients.Users);
        SoftmaxResult candidates = loss.Run(Problem(golden), 1000, SoftmaxGradients.Candidates);

        Near.Equal("user gradients", golden.UserGradients, users.UserGradient!.Numbers<float>(), 5e-6);
        Near.Equal("candidate gradients", golden.CandidateGradients, candidates.CandidateGradient!.Numbers<float>(), 5e-6);
        Assert.Null(users.CandidateGradient);
        Assert.Null(candidates.UserGradient);
    }

    [Fact]
    public void Run_WrongShape_SaysWhich()
    {
        GoldenSoftmax golden = GoldenVectors.Read().Softmax[0];
        using DisposeScope scope = NewDisposeScope();
        using ISoftmaxLoss loss = Loss(golden);
        SoftmaxProblem problem = Problem(golden) with { Users = ones(5, 11) };

        ArgumentException error = Assert.Throws<ArgumentException>(() => loss.Run(problem, 8));

        Assert.Equal("users has shape [5, 11]; expected: [5, 12].", error.Message);
    }

    /// <summary>Creates the loss of a model.</summary>
    internal abstract ISoftmaxLoss Create(ModelOptions model);

    private ISoftmaxLoss Loss(GoldenSoftmax golden) =>
        Create(
            new ModelOptions
            {
                Widths = golden.Widths,
                WidthWeights = golden.WidthWeights,
                Temperature = golden.Temperature,
                Cosine = golden.Cosine,
                LogQ = Enum.Parse<LogQCorrection>(golden.Correction),
            }
        );

    // Rows of eight columns from pairs of values for the first and the fifth.
    private static Tensor Spread(params float[] values)
    {
        float[] rows = new float[values.Length * 4];
        for (int i = 0; i < values.Length; i++)
        {
            rows[4 * i] = values[i];
        }

        return tensor(rows, [values.Length / 2, 8], dtype: ScalarType.Float32).There();
    }

    // The vectors start with the positives, as in the engine.
    private static SoftmaxProblem Problem(GoldenSoftmax golden)
    {
        int dimension = golden.Widths[^1],
            rows = golden.PositiveColumn.Length;
        Assert.Equal(Enumerable.Range(0, rows), golden.PositiveColumn);
        var all = new CandidateBlock(
            tensor(golden.Candidates, [golden.Ids.Length, dimension], dtype: ScalarType.Float32).There(),
            tensor(golden.Ids.Select(id => (long)id).ToArray()).There(),
            tensor(golden.LogQ).There()
        );
        long own = golden.GradientCandidates,
            bank = golden.Ids.Length - own;
        Tensor shares = tensor(
                golden.RowWeights.Select(weight => weight / golden.RowWeights.Sum(w => (double)w)).ToArray(),
                dtype: ScalarType.Float64
            )
            .There();
        return new SoftmaxProblem(
            tensor(golden.Users, [rows, dimension], dtype: ScalarType.Float32).There(),
            all.Slice(0, own),
            0,
            [all.Slice(own, bank / 2), all.Slice(own + (bank / 2), bank - (bank / 2))],
            shares
        );
    }
}
