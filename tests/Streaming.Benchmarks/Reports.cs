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

/// <summary>A shape of the nested softmax.</summary>
/// <param name="Shape">S0, S1 or S2.</param>
/// <param name="Milliseconds">Median time of forward and backward of all widths.</param>
/// <param name="PeerNaiveRatio">Time of libtorch's loop over widths over ours; null without it.</param>
/// <param name="PeerCumulativeRatio">The same for cumulative logits with autograd.</param>
/// <param name="PeakFraction">Operations that the kernel does a second over those of a loop over registers.</param>
/// <param name="ScratchBytes">Memory that the kernel holds beside inputs and outputs.</param>
internal sealed record SoftmaxRow(string Shape, double Milliseconds, double? PeerNaiveRatio, double? PeerCumulativeRatio, double PeakFraction, long ScratchBytes);

/// <summary>The whole training step.</summary>
/// <param name="ExamplesPerSecond">Predictions a second.</param>
/// <param name="PeerRatio">Time of the same step in libtorch over ours; null without it.</param>
/// <param name="AllocatedBytesPerStep">Managed bytes allocated a step, all threads, in the steady state.</param>
internal sealed record TrainingRow(double ExamplesPerSecond, double? PeerRatio, double AllocatedBytesPerStep);

/// <summary>Names and numbers as the report has them.</summary>
[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(BenchmarkReport))]
internal sealed partial class ReportJson : JsonSerializerContext;
