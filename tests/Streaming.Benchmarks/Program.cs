using Streaming.Benchmarks;
using Streaming.Kernels;

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

if (options.Ingest)
{
    IngestRun.Run(Console.Out);
    return 0;
}

Timing.ProcessorTime = options.ProcessorTime;
using Workers workers = new(options.Threads);
using TorchPeer? peer = options.Torch ? new TorchPeer(options.Python, options.Threads) : null;
BenchmarkReport report = new QuickRun(workers, peer, Console.Out).Run();
if (options.Report is not null)
{
    report.Write(options.Report);
}

return 0;
