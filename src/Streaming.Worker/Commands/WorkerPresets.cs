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
            new Dictionary<string, string> { ["Training__Replay__Ratio"] = "4" }
        ),
        new(
            "card",
            "More than about 10,000 events per second, trained on a GPU (an image built with Torch=cuda).",
            new Dictionary<string, string>
            {
                ["Training__Engine"] = "Torch",
                ["Training__Device"] = "cuda",
                ["Training__Tf32"] = "true",
                ["Batching__BatchSize"] = "4096",
                ["Model__BankCapacity"] = "65536",
            }
        ),
    ];
}
