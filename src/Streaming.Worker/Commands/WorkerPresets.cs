using Streaming.Worker.Settings;

namespace Streaming.Worker.Commands;

/// <summary>The presets of this program; tests/Streaming.Benchmarks/RESULTS.md, "Presets", has what was measured.</summary>
internal static class WorkerPresets
{
    /// <summary>Gets all presets.</summary>
    public static IReadOnlyList<SettingsPreset> All { get; } =
    [
        new("stream", "A stream of many users with short histories, as in a shop.", new Dictionary<string, string>()),
        new(
            "dense",
            "Few items and long histories, as with films or songs.",
            new Dictionary<string, string> { ["STREAMING__Training__LearningRate__Peak"] = "0.003" }
        ),
        new(
            "card",
            "A stream that keeps a GPU busy: tens of thousands of events per second (an image built with `Torch=cuda`). Chosen for "
                + "speed; recall at this batch size was not measured.",
            new Dictionary<string, string>
            {
                ["STREAMING__Training__Engine"] = "Torch",
                ["STREAMING__Training__Device"] = "cuda",
                ["STREAMING__Training__Tf32"] = "true",
                ["STREAMING__Training__ReadLossEvery"] = "16",
                ["STREAMING__Batching__BatchSize"] = "4096",
                ["STREAMING__Model__BankCapacity"] = "65536",
            }
        ),
    ];
}
