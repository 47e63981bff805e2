using System.Text.Json;

namespace Streaming.Worker.Tests.Serve;

/// <summary>An operation of an OpenAPI document.</summary>
internal sealed record ApiOperation(string Path, HttpMethod Method, JsonElement Description)
{
    /// <summary>Gets the names of its query parameters.</summary>
    public IReadOnlyList<string> Parameters { get; } =
        Description.TryGetProperty("parameters", out JsonElement parameters)
            ? [.. parameters.EnumerateArray().Select(parameter => parameter.GetProperty("name").GetString()!)]
            : [];

    /// <summary>A call with every parameter: its default or its least value, and with a body where there is one.</summary>
    public (string Query, string? Body) Example()
    {
        IEnumerable<string> values = Parameters.Count == 0 ? [] : Description.GetProperty("parameters").EnumerateArray().Select(Value);
        return ("?" + string.Join('&', values), Description.TryGetProperty("requestBody", out _) ? "[\"i1\",\"i2\"]" : null);
    }

    private static string Value(JsonElement parameter)
    {
        string name = parameter.GetProperty("name").GetString()!;
        JsonElement schema = parameter.GetProperty("schema");
        return name == "width" ? "width=4"
            : parameter.TryGetProperty("example", out JsonElement example) ? $"{name}={Uri.EscapeDataString(One(example).GetString()!)}"
            : schema.TryGetProperty("default", out JsonElement value) ? $"{name}={value.ToString().ToLowerInvariant()}"
            : schema.TryGetProperty("minimum", out JsonElement least) ? $"{name}={least}"
            : $"{name}=i9";
    }

    private static JsonElement One(JsonElement example) => example.ValueKind == JsonValueKind.Array ? example[0] : example;
}
