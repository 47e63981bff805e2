using System.Diagnostics;
using System.Globalization;
using Streaming.Learning;
using Streaming.Learning.Torch;
using Streaming.Learning.Torch.Benchmarks;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
var shape = BenchmarkShape.Parse(args);
var model = new ModelOptions
{
    Widths = shape.Widths,
    Cosine = false,
    Temperature = 1,
    BalanceBank = false,
    HistoryLength = shape.History,
    Layers = shape.Layers,
    BankCapacity = shape.Bank,
    ItemCapacity = SyntheticBatch.Items,
    Dropout = [0.2f],
};
SyntheticBatch[] batches = [.. Enumerable.Range(0, 4).Select(seed => new SyntheticBatch(shape, seed))];
Console.WriteLine($"batch {shape.Batch}, bank {shape.Bank}, widths {string.Join(",", shape.Widths)}, history {shape.History}, {shape.Layers} blocks, {shape.Steps} steps");

using var torch = new TorchEngine(model, new TorchEngineOptions { Device = shape.Device, Tf32 = shape.Tf32 });
var step = Measure(torch);
long weights = ModelDeclaration.Create(model).All.Where(parameter => parameter.Decays).Sum(parameter => (long)parameter.Length);
double operations = shape.Operations(weights, (long)shape.Batch * (shape.History + 1)) / step.TotalSeconds;
Console.WriteLine($"{operations / 1e12:F3} TFLOP/s in products of matrices{(shape.Peak > 0 ? $", {operations / shape.Peak / 1e10:F1}% of {shape.Peak} TFLOP/s" : "")}");
Console.WriteLine(CudaMemory.Read() is { } memory ? $"device memory in use {memory.Used >> 20:N0} of {memory.Total >> 20:N0} MiB" : $"host memory {Environment.WorkingSet >> 20:N0} MiB");

var timer = new StepTimer(TorchDevices.Open(shape.Device, shape.Tf32));
torch.Timer = timer;
Run(torch, shape.Steps, 1_000);
foreach (var part in Enum.GetValues<StepPart>())
{
    Console.WriteLine($"  {part,-9} {timer[part].TotalMilliseconds / shape.Steps,9:F2} ms");
}

if (shape.Cpu)
{
    using var cpu = new CpuEngine(model, Environment.ProcessorCount);
    Measure(cpu);
}

TimeSpan Measure(TrainingEngine engine)
{
    for (int row = 0; row < SyntheticBatch.Items; row++)
    {
        engine.InitializeRow(row, (ulong)row);
    }

    // The bank is filled first, and what grows to the largest step has grown.
    Run(engine, Math.Max(3, (shape.Bank + shape.Batch - 1) / shape.Batch), 0);
    long start = Stopwatch.GetTimestamp();
    Run(engine, shape.Steps, 500);
    var each = Stopwatch.GetElapsedTime(start) / shape.Steps;
    Console.WriteLine($"{engine.Description}: {each.TotalMilliseconds:F2} ms a step, {shape.Batch / each.TotalSeconds:N0} examples/s");
    return each;
}

void Run(TrainingEngine engine, int steps, long firstStep)
{
    for (int i = 0; i < steps; i++)
    {
        if (!batches[i % batches.Length].Run(engine, shape.Bank, firstStep + i).Applied)
        {
            throw new InvalidOperationException("A step was not finite.");
        }
    }
}
