using System.Text.Json;
using System.Text.Json.Serialization;

namespace Streaming.Learning.Checkpoints;

/// <summary>JSON options of manifests.</summary>
internal static class CheckpointJson
{
    public static JsonSerializerOptions Options { get; } =
        new()
        {
            WriteIndented = true,
            PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
            MaxDepth = 16,
            IgnoreReadOnlyProperties = true,
            Converters = { new JsonStringEnumConverter() },
        };
}
