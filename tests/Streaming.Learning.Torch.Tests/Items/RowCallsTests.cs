using Streaming.Learning.Tests.Golden;
using Streaming.Learning.Torch.Cuda;
using Streaming.Learning.Torch.Items;
using Streaming.Learning.Torch.Tests.Cuda;
using Streaming.Learning.Torch.Tests.Devices;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Tests.Items;

/// <summary>The kernels of item rows, against plain loops. Sequences of three items and a start, then candidates; one item is that of
/// most entries, so that its sum is that of several chunks.</summary>
public sealed class RowCallsTests : IDisposable
{
    private const int Sequences = 60;
    private const int Length = 3;
    private const int Candidates = 45;
    private const int D = 140;
    private const int Most = 26;
    private readonly IKernelDevice _device = TestKernels.Device();
    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly RowCalls _calls;
    private readonly int[] _entries;

    public RowCallsTests()
    {
        _calls = new RowCalls(ItemKernels.Compile(_device, [12, D]), D);
        var random = new Random(3);
        _entries =
        [
            .. Enumerable
                .Range(0, (Sequences * Length) + Candidates)
                .Select(i =>
                    i % 7 == 3 && i < Sequences * Length ? ItemKernels.Absent
                    : random.Next(3) > 0 ? 9
                    : random.Next(25)
                ),
        ];
    }

    [Fact]
    public void Number_RepeatedAndAbsentItems_NumbersEachRowOnce()
    {
        int[] distinct = [.. _entries.Where(row => row != ItemKernels.Absent).Distinct().Order()];

        StepRows rows = Number();

        Assert.Equal([distinct.Length], rows.Count.Numbers<int>());
        Assert.Equal([.. distinct.Select(row => (long)row), .. new long[Most - distinct.Length]], rows.Distinct.Numbers<long>());
        Assert.Equal(
            _entries.Select(row => row == ItemKernels.Absent ? ItemKernels.Absent : Array.IndexOf(distinct, row)),
            rows.Slots.Numbers<int>()
        );
    }

    [Fact]
    public void Number_NoItemAtAll_HasNoRow()
    {
        StepRows rows = _calls.Number(full(9, ItemKernels.Absent, dtype: ScalarType.Int32).There(), 1);

        Assert.Equal([0], rows.Count.Numbers<int>());
        Tensor sums = _calls.Sum(rows, ones(12, D).There(), zeros(0, D).There(), 3);
        Assert.All(sums.Numbers<float>(), value => Assert.Equal(0f, value));
    }

    [Fact]
    public void Sum_RepeatedItems_AddsTheGradientsOfEach()
    {
        StepRows rows = Number();
        (Tensor steps, Tensor candidates) = Gradients();

        float[] sums = _calls.Sum(rows, steps, candidates, Sequences).Numbers<float>();

        float[] bySteps = steps.Numbers<float>(),
            byCandidates = candidates.Numbers<float>();
        int[] slots = rows.Slots.Numbers<int>();
        double[] expected = new double[Most * D];
        for (int e = 0; e < _entries.Length; e++)
        {
            for (int c = 0; c < D && slots[e] != ItemKernels.Absent; c++)
            {
                int step = (e / Length * (Length + 1)) + 1 + (e % Length);
                expected[(slots[e] * D) + c] +=
                    e < Sequences * Length ? bySteps[(step * D) + c] : byCandidates[((e - (Sequences * Length)) * D) + c];
            }
        }

        Near.Equal("sums", expected, sums, 2e-6);
        Assert.True(_entries.Count(row => row == 9) > 3 * ItemKernels.Chunk);
    }

    [Fact]
    public void Sum_Twice_RepeatsToTheBit()
    {
        (Tensor steps, Tensor candidates) = Gradients();

        float[] first = _calls.Sum(Number(), steps, candidates, Sequences).Numbers<float>();

        Assert.Equal(first, _calls.Sum(Number(), steps, candidates, Sequences).Numbers<float>());
    }

    [Fact]
    public void Gather_SequencesWithAStart_ReadsDecayedRows()
    {
        Tensor table = randn(25, D).There(),
            start = randn(D).There(),
            entries = tensor(_entries).There(),
            decayed = arange(25, dtype: ScalarType.Float64).There().mul(-0.01),
            decay = tensor(-0.3, dtype: ScalarType.Float64).There();
        var source = new RowSource
        {
            Table = KernelCall.Address(table),
            Rows = KernelCall.Address(entries),
            Decayed = KernelCall.Address(decayed),
            Decay = KernelCall.Address(decay),
            Start = KernelCall.Address(start),
            Steps = Length + 1,
        };

        float[] vectors = _calls.Gather(source, Sequences * (Length + 1), TestDevice.Device).Numbers<float>();

        float[] rows = table.Numbers<float>(),
            first = start.Numbers<float>();
        for (int r = 0; r < Sequences * (Length + 1); r++)
        {
            int t = r % (Length + 1),
                row = t == 0 ? 0 : _entries[(r / (Length + 1) * Length) + t - 1];
            for (int c = 0; c < D; c++)
            {
                float expected =
                    t == 0 ? first[c]
                    : row == ItemKernels.Absent ? 0
                    : rows[(row * D) + c] * (float)Math.Exp(-0.3 + (0.01 * row));
                Assert.Equal(expected, vectors[(r * D) + c], 1e-5f);
            }
        }
    }

    public void Dispose()
    {
        _scope.Dispose();
        _device.Dispose();
    }

    private static (Tensor Steps, Tensor Candidates) Gradients()
    {
        using Generator generator = random.manual_seed(8);
        return (randn(Sequences * (Length + 1), D).There(), randn(Candidates, D).There());
    }

    private StepRows Number() => _calls.Number(tensor(_entries).There(), Most);
}
