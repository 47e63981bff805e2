using Streaming.Benchmarks;
using Streaming.Benchmarks.Libtorch;
using Streaming.Kernels.Parallel;
using Streaming.Tests;

BenchmarkOptions options;
try
{
    options = BenchmarkOptions.Parse(args);
}
catch (Exception exception) when (exception is ArgumentException or FormatException)
{
    Console.Error.WriteLine(exception.Message);
    return 2;
}

if (options.Models is { } folder)
{
    // For run.sh --content: text model, vocabulary and picture model, a line each.
    (string model, string vocabulary) = PackagedModels.WriteMiniLM(folder);
    Console.WriteLine($"{model}\n{vocabulary}\n{PackagedModels.ResNet18}");
    return 0;
}

Timing.ProcessorTime = options.ProcessorTime;
using Workers workers = new(options.Threads);
string? peer = options.HasPeer ? LibtorchPeer.Open(options.Threads) : null;
switch (options.Mode)
{
    case BenchmarkMode.Ingest:
        IngestRun.Run(Console.Out);
        break;
    case BenchmarkMode.Kernels:
        new KernelRun(workers, peer, Console.Out).Run(options.Only);
        break;
    case BenchmarkMode.Paths:
        PathsRun.Run(options, Console.Out);
        break;
    case BenchmarkMode.Cost:
        new CostRun(workers, Console.Out).Run();
        break;
    case BenchmarkMode.Encode:
        EncodeRun.Run(workers, Console.Out);
        break;
    case BenchmarkMode.Ranking:
        new RankingRun(workers, Console.Out).Run();
        break;
    case BenchmarkMode.Ranks:
        new RanksRun(Console.Out).Run();
        break;
    case BenchmarkMode.Scale:
        new ScaleRun(Console.Out).Run();
        break;
    case BenchmarkMode.Bookkeeping:
        new BookkeepingRun(Console.Out).Run();
        break;
    case BenchmarkMode.Memory:
        MemoryRun.Run(workers.Threads, Console.Out);
        break;
    case BenchmarkMode.Search:
        new SearchRun(Console.Out).Run(options.Items, options.Model is null ? null : new TrainedCatalogue(options.Model, options.Events!));
        break;
    case BenchmarkMode.Filters:
        new FilterRun(Console.Out).Run(options.Items);
        break;
    case BenchmarkMode.Fused:
        await new FusedRun(Console.Out).RunAsync(options.Items).ConfigureAwait(false);
        break;
    case BenchmarkMode.Approximate:
        new ApproximateRun(options.Threads, Console.Out).Run(options.Items);
        break;
    default:
        BenchmarkReport report = new QuickRun(workers, peer, Console.Out).Run();
        if (options.Report is not null)
        {
            report.Write(options.Report);
        }

        break;
}

return 0;
