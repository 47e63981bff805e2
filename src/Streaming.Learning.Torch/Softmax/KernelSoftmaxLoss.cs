using Streaming.Kernels.Softmax;
using Streaming.Learning.Torch.Cuda;
using Streaming.Learning.Torch.Devices;
using Streaming.Models.Options;
using TorchSharp;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Softmax;

/// <summary>
/// Sampled softmax of all nested widths by NestedSoftmax.cu: one pass over all candidates for the log-sums, one for the gradient by
/// users, one over the step's own candidates for theirs. No B × N values are stored, so nothing is processed in chunks.
/// </summary>
internal sealed class KernelSoftmaxLoss : ISoftmaxLoss
{
    // Blocks per multiprocessor, below which the candidates are shared among more blocks; and the most that share them, because each
    // writes a gradient of its own.
    private const int Waves = 4;
    private const int MostParts = 32;

    private readonly SoftmaxKernels _kernels;
    private readonly KernelCall _call;
    private readonly LogQCorrection _correction;
    private readonly bool _isCosine;
    private readonly float _inverseTemperature;
    private readonly int _widths;
    private readonly int _d;
    private readonly double[] _widthShares;
    private readonly Tensor _deviceShares;

    /// <summary>Creates the loss of a model.</summary>
    public KernelSoftmaxLoss(ModelOptions model, SoftmaxKernels kernels, Device device)
    {
        _kernels = kernels;
        _call = new KernelCall(kernels.Device);
        _correction = NestedSoftmaxLoss.Correction(model);
        _isCosine = model.Cosine;
        _inverseTemperature = (float)(1 / (double)model.Temperature);
        (_widths, _d) = (model.Widths.Count, model.Dimension);
        double total = model.LossWeights.Sum(weight => (double)weight);
        _widthShares = [.. model.LossWeights.Select(weight => weight / total)];
        _deviceShares = tensor(_widthShares, dtype: ScalarType.Float64, device: device).DetachFromDisposeScope();
    }

    /// <inheritdoc/>
    public IReadOnlyList<double> WidthShares => _widthShares;

    // Logits in base 2: the device's exponential is that of 2.
    private float Scale => (float)(Math.Log2(Math.E) * _inverseTemperature);

    private int Subtracts => _correction == LogQCorrection.None ? 0 : 1;

    /// <inheritdoc/>
    /// <remarks>Its ids, ln q and inverse lengths.</remarks>
    public long BytesPerColumn(long rows) => sizeof(float) * (3 + _widths);

    /// <inheritdoc/>
    public SoftmaxResult Run(SoftmaxProblem problem, long columns, SoftmaxGradients gradients = SoftmaxGradients.All)
    {
        Shapes.Require(problem.Users, "users", problem.Rows, _d);
        Shapes.Require(problem.Own.Vectors, "candidates", problem.Own.Count, _d);
        using DisposeScope scope = NewDisposeScope();
        KernelBlock own = Block(problem.Own, Inverses(problem.Own.Vectors));
        KernelBlock users = Block(problem.Own.Slice(0, problem.Rows) with { Vectors = problem.Users }, Inverses(problem.Users));
        users.LogQ = 0;
        KernelBlocks candidates = Candidates(problem, own);
        RowSums sums = Finish(problem, users, own, candidates);
        Tensor? userGradient = gradients.HasFlag(SoftmaxGradients.Users) ? UserGradient(users, own, candidates, sums) : null;
        Tensor? candidateGradient = gradients.HasFlag(SoftmaxGradients.Candidates)
            ? CandidateGradient(users, own, (int)problem.FirstNegative, sums)
            : null;
        return new SoftmaxResult(
            sums.Losses.sum([1]).MoveToOuterDisposeScope(),
            userGradient?.MoveToOuterDisposeScope(),
            candidateGradient?.MoveToOuterDisposeScope()
        );
    }

    /// <inheritdoc/>
    public void Dispose() => _deviceShares.Dispose();

    private static KernelBlock Block(CandidateBlock block, Tensor? inverses) =>
        new()
        {
            Vectors = KernelCall.Address(block.Vectors),
            Ids = KernelCall.Address(block.Rows),
            LogQ = KernelCall.Address(block.LogQ),
            Inverses = KernelCall.Address(inverses),
            Count = (int)block.Count,
            Stride = (int)block.Count,
        };

    // Entries first … end of a block.
    private KernelBlock From(KernelBlock block, int first)
    {
        block.Vectors += (nint)first * _d * sizeof(float);
        block.Ids += (nint)first * sizeof(long);
        block.LogQ += (nint)first * sizeof(float);
        block.Inverses += _isCosine ? (nint)first * sizeof(float) : 0;
        block.Count -= first;
        return block;
    }

    private KernelBlocks Candidates(SoftmaxProblem problem, KernelBlock own)
    {
        if (problem.Bank.Count + 1 > KernelBlocks.Most)
        {
            throw new ArgumentException($"The bank has {problem.Bank.Count} segments; the kernels take {KernelBlocks.Most - 1}.");
        }

        KernelBlocks blocks = default;
        foreach (CandidateBlock segment in problem.Bank)
        {
            blocks.At[blocks.Count++] = Block(segment, Inverses(segment.Vectors));
        }

        blocks.At[blocks.Count++] = From(own, (int)problem.FirstNegative);
        return blocks;
    }

    private Tensor? Inverses(Tensor vectors)
    {
        if (!_isCosine)
        {
            return null;
        }

        int count = (int)vectors.shape[0];
        Tensor inverses = empty(_widths, count, dtype: ScalarType.Float32, device: vectors.device);
        _call.Of(_kernels.Inverses).With(vectors).With(count).With(count).With(inverses).LaunchWarps(count);
        return inverses;
    }

    private RowSums Finish(SoftmaxProblem problem, KernelBlock users, KernelBlock own, KernelBlocks candidates)
    {
        Device device = problem.Users.device;
        int rows = users.Count,
            parts = Parts(rows, candidates);
        Tensor tops = empty(parts, _widths, rows, dtype: ScalarType.Float32, device: device);
        Tensor sums = empty_like(tops);
        Tensor counts = empty(parts, rows, dtype: ScalarType.Int32, device: device);
        _call.Of(_kernels.Sums).With(users).With(candidates).With(Scale).With(Subtracts).With(tops).With(sums).With(counts);
        _call.Launch(Grid(rows, parts), SoftmaxKernels.Threads, _kernels.SharedBytes);
        var result = new RowSums(
            empty(_widths, rows, dtype: ScalarType.Float64, device: device),
            empty(_widths, rows, dtype: ScalarType.Float32, device: device),
            empty(_widths, rows, dtype: ScalarType.Float32, device: device),
            _isCosine ? empty(_widths, rows, dtype: ScalarType.Float32, device: device) : null
        );
        _call.Of(_kernels.Finish).With(users).With(own).With(tops).With(sums).With(counts).With(parts);
        _call.With(problem.Shares).With(_deviceShares).With(_inverseTemperature).With((int)_correction);
        _call.With(NestedSoftmax.LeastMissProbability).With(result.Losses).With(result.Coefficients).With(result.Shifts);
        _call.With(result.Cosines).LaunchWarps(rows);
        return result;
    }

    private Tensor UserGradient(KernelBlock users, KernelBlock own, KernelBlocks candidates, RowSums sums) =>
        Gradient(_kernels.Users, users, 0, candidates, own, sums);

    private Tensor CandidateGradient(KernelBlock users, KernelBlock own, int first, RowSums sums)
    {
        KernelBlocks columns = default;
        columns.At[columns.Count++] = users;
        return Gradient(_kernels.Candidates, own, first, columns, users, sums);
    }

    // Rows from first on are scored against the columns; each row of a positive is pulled by its pair among the others.
    private Tensor Gradient(nint kernel, KernelBlock rows, int first, KernelBlocks columns, KernelBlock pairs, RowSums sums)
    {
        Device device = sums.Losses.device;
        KernelBlock scored = From(rows, first);
        int parts = Parts(scored.Count, columns);
        Tensor partial = empty(parts, scored.Count, _d, dtype: ScalarType.Float32, device: device);
        Tensor? along = _isCosine ? empty(parts, _widths, scored.Count, dtype: ScalarType.Float32, device: device) : null;
        if (scored.Count > 0)
        {
            _call.Of(kernel).With(scored).With(columns).With(Scale).With(Subtracts).With(sums.Shifts).With(partial).With(along);
            _call.Launch(Grid(scored.Count, parts), SoftmaxKernels.Threads, _kernels.SharedBytes);
        }

        Tensor gradient = empty(rows.Count, _d, dtype: ScalarType.Float32, device: device);
        _call.Of(_kernels.Collect).With(rows).With(pairs).With((int)sums.Losses.shape[1]).With(first).With(parts);
        _call.With(partial).With(along).With(sums.Coefficients).With(sums.Cosines).With(gradient).LaunchWarps(rows.Count);
        return gradient;
    }

    private static (int X, int Y) Grid(int rows, int parts) => ((rows + SoftmaxKernels.Rows - 1) / SoftmaxKernels.Rows, parts);

    // How many blocks share the columns of a row.
    private int Parts(int rows, KernelBlocks columns)
    {
        int tiles = 0;
        for (int i = 0; i < columns.Count; i++)
        {
            tiles += (columns.At[i].Count + SoftmaxKernels.Columns - 1) / SoftmaxKernels.Columns;
        }

        int wanted = Waves * _kernels.Device.Multiprocessors / Math.Max(1, Grid(rows, 1).X);
        return Math.Clamp(wanted, 1, Math.Clamp(tiles, 1, MostParts));
    }

    // Of each width and row: its part of the loss, the coefficient of its gradient, the shift that makes of a logit coefficient times
    // probability, and the cosine of its positive.
    private sealed record RowSums(Tensor Losses, Tensor Coefficients, Tensor Shifts, Tensor? Cosines);
}
