using System.Text.Json;

namespace Streaming.Learning.Tests.Golden;

/// <summary>Losses, recurrences and their gradients computed by PyTorch in float64; make_golden.py writes them.</summary>
internal sealed record GoldenVectors(IReadOnlyList<GoldenSoftmax> Softmax, IReadOnlyList<GoldenLru> Lru)
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web);

    public static GoldenVectors Read() =>
        JsonSerializer.Deserialize<GoldenVectors>(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "golden.json")), Options)
        ?? throw new InvalidDataException("golden.json is empty.");
}
