using System.Diagnostics;
using System.Globalization;
using Streaming.Learning.Cpu;
using Streaming.Learning.Engine;
using Streaming.Learning.Torch.Benchmarks;
using Streaming.Learning.Torch.Devices;
using Streaming.Learning.Torch.Engine;
using Streaming.Learning.Torch.State;
using Streaming.Learning.Torch.Timing;
using Streaming.Models.Options;

const double WarmUpSeconds = 3;
CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
var shape = BenchmarkShape.Parse(args);
var model = new ModelOptions
{
    Widths = shape.Widths,
    Cosine = false,
    Temperature = 1,
    BalanceBank = false,
    HistoryLength = shape.History,
    Layers = BenchmarkShape.Layers,
    BankCapacity = shape.Bank,
    ItemCapacity = shape.Items,
    Dropout = [0.2f],
};
SyntheticBatch[] batches = [.. Enumerable.Range(0, 4).Select(seed => new SyntheticBatch(shape, seed))];
var filler = new SyntheticBatch(shape with { History = 0 }, 4);
Console.WriteLine(
    $"batch {shape.Batch}, bank {shape.Bank}, widths {string.Join(",", shape.Widths)}, history {shape.History}, {BenchmarkShape.Layers} "
        + $"blocks, {shape.Items} items, loss read every {shape.ReadLossEvery} steps, {(shape.ReadLossEvery > 1 ? "mean" : "median")} "
        + $"of {shape.Steps} steps"
);

using (
    var torch = new TorchEngine(
        model,
        new TorchEngineOptions
        {
            Device = shape.Device,
            Tf32 = shape.Tf32,
            ReadLossEvery = shape.ReadLossEvery,
            Kernels = shape.Kernels,
            Activations = shape.Activations,
        }
    )
)
{
    TorchSharp.torch.Device device = TorchDevices.Open(shape.Device, shape.Tf32);
    double operations = shape.Operations(ModelDeclaration.Create(model).All) / Measure(torch);
    double peak = shape.Peak > 0 ? shape.Peak * 1e12 : MatrixPeak.Measure(device);
    Console.WriteLine(
        $"  {operations / 1e12:F3} TFLOP/s in products of matrices, {operations / peak:P1} of "
            + $"{(shape.Peak > 0 ? "the peak given" : "a product of large matrices")} ({peak / 1e12:F3})"
    );
    Console.WriteLine(
        CudaMemory.Read() is { } memory
            ? $"  device memory in use {memory.Used >> 20:N0} of {memory.Total >> 20:N0} MiB"
            : $"  host memory, at most {Process.GetCurrentProcess().PeakWorkingSet64 >> 20:N0} MiB"
    );
    var timer = new StepTimer(device);
    torch.Timer = timer;
    for (int i = 0; i < shape.Steps; i++)
    {
        Step(torch, i);
    }

    foreach (StepPart part in Enum.GetValues<StepPart>())
    {
        Console.WriteLine($"  {part, -9} {timer[part].TotalMilliseconds / shape.Steps, 9:F2} ms");
    }

    SnapshotTiming.Report(torch, device);
}

// On a CPU the peer is libtorch itself: tests/Streaming.Benchmarks.
if (shape.Device != "cpu" && PythonTorch.Start(shape.Python) is { } peer)
{
    using (peer)
    {
        peer.Ask(
            $"step-load {shape.Batch} {shape.History} {shape.Bank} {shape.Items} {string.Join(",", shape.Widths)} {shape.Device} "
                + $"{(shape.Tf32 ? "tf32" : "float32")} {shape.Peer}"
        );
        Report($"{peer.Version}, {shape.Peer}", _ => peer.Ask("step"));
    }
}

if (shape.Cpu)
{
    using var cpu = new CpuEngine(model, Environment.ProcessorCount);
    Measure(cpu);
}

// Seconds of a step.
double Measure(TrainingEngine engine)
{
    for (int row = 0; row < shape.Items; row++)
    {
        engine.InitializeRow(row, (ulong)row);
    }

    // Fill the bank first, with cheap steps.
    for (int i = 0; engine.BankCount < shape.Bank; i++)
    {
        Check(filler.Run(engine, 0, i));
    }

    return Report(engine.Description, i => Step(engine, i));
}

double Report(string name, Action<int> step)
{
    // By now buffers have their final size, and the runtime has recompiled hot methods.
    long begun = Stopwatch.GetTimestamp();
    for (int i = 0; i < 3 || Stopwatch.GetElapsedTime(begun).TotalSeconds < WarmUpSeconds; i++)
    {
        step(i);
    }

    double[] seconds = new double[shape.Steps];
    for (int i = 0; i < shape.Steps; i++)
    {
        long start = Stopwatch.GetTimestamp();
        step(i);
        seconds[i] = Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    // Single times are meaningless for steps that nobody waits for.
    Array.Sort(seconds);
    double each = shape.ReadLossEvery > 1 ? seconds.Average() : seconds[shape.Steps / 2];
    Console.WriteLine(
        $"{name}: {each * 1e3:F2} ms a step ({seconds[0] * 1e3:F2} … {seconds[^1] * 1e3:F2}), {shape.Batch / each:N0} examples/s"
    );
    return each;
}

void Step(TrainingEngine engine, int step) => Check(batches[step % batches.Length].Run(engine, shape.Bank, step));

static void Check(StepResult result)
{
    if (!result.IsApplied)
    {
        throw new InvalidOperationException("A step was not finite.");
    }
}
