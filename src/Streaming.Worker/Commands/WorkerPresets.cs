using Streaming.Worker.Settings;

namespace Streaming.Worker.Commands;

/// <summary>The presets of this program. Each value was measured: tests/Streaming.Benchmarks/RESULTS.md, "Presets".</summary>
internal static class WorkerPresets
{
    /// <summary>Gets all presets.</summary>
    public static IReadOnlyList<SettingsPreset> All { get; } =
    [
        new("stream", "A stream of many users with short histories, as in a shop.", new Dictionary<string, string>()),
        new(
            "dense",
            "Few items and long histories, as with films or songs.",
            new Dictionary<string, string> { ["STREAMING__Training__Replay__Ratio"] = "4" }
        ),
        new(
            "card",
            "More than about 10,000 events per second, trained on a GPU (an image built with Torch=cuda).",
            new Dictionary<string, string>
            {
                ["STREAMING__Training__Engine"] = "Torch",
                ["STREAMING__Training__Device"] = "cuda",
                ["STREAMING__Training__Tf32"] = "true",
                ["STREAMING__Batching__BatchSize"] = "4096",
                ["STREAMING__Model__BankCapacity"] = "65536",
            }
        ),
    ];
}
