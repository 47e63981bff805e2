using System.Text.Json;
using System.Text.Json.Serialization;

namespace Streaming.Benchmarks;

/// <summary>The JSON report.</summary>
internal sealed record BenchmarkReport
{
    public required string Machine { get; init; }

    public required string Peer { get; init; }

    public required int Threads { get; init; }

    public required double PeakGigaflops { get; init; }

    public required IReadOnlyList<SoftmaxRow> NestedSoftmax { get; init; }

    public required TrainingRow TrainingStep { get; init; }

    public void Write(string path) => File.WriteAllText(path, JsonSerializer.Serialize(this, ReportJson.Default.BenchmarkReport) + "\n");
}

/// <summary>The result of one nested softmax shape.</summary>
/// <param name="Shape">S0, S1 or S2.</param>
/// <param name="Milliseconds">Median time of forward and backward of all widths.</param>
/// <param name="PeerNaiveRatio">Time of libtorch's loop over widths divided by ours; null if not measured.</param>
/// <param name="PeerCumulativeRatio">The same for cumulative logits with autograd.</param>
/// <param name="PeakFraction">The kernel's operations per second divided by those of a loop on registers.</param>
/// <param name="ScratchBytes">Memory used by the kernel in addition to inputs and outputs.</param>
internal sealed record SoftmaxRow(
    string Shape,
    double Milliseconds,
    double? PeerNaiveRatio,
    double? PeerCumulativeRatio,
    double PeakFraction,
    long ScratchBytes
);

/// <summary>The whole training step.</summary>
/// <param name="ExamplesPerSecond">Predictions per second.</param>
/// <param name="PeerRatio">Time of the same step in libtorch divided by ours; null if not measured.</param>
/// <param name="AllocatedBytesPerStep">Managed bytes allocated per step, all threads, in the steady state.</param>
internal sealed record TrainingRow(double ExamplesPerSecond, double? PeerRatio, double AllocatedBytesPerStep);

/// <summary>Formats names and numbers.</summary>
[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(BenchmarkReport))]
internal sealed partial class ReportJson : JsonSerializerContext;
