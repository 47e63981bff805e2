using System.Net;
using System.Text.Json;
using Xunit;

namespace Streaming.Worker.Tests.Serve;

/// <summary>
/// An OpenAPI document, and whether answers are as it says: of its types, with all that is required and nothing undescribed.
/// </summary>
internal sealed class ApiDocument(JsonElement root)
{
    /// <summary>Gets its operations.</summary>
    public IReadOnlyList<ApiOperation> Operations { get; } =
    [
        .. root.GetProperty("paths")
            .EnumerateObject()
            .SelectMany(path =>
                path.Value.EnumerateObject()
                    .Where(operation => operation.Name is "get" or "post")
                    .Select(operation => new ApiOperation(
                        path.Name,
                        operation.Name == "get" ? HttpMethod.Get : HttpMethod.Post,
                        operation.Value
                    ))
            ),
    ];

    /// <summary>Fails unless an answer is as described.</summary>
    public void Check(ApiOperation operation, HttpStatusCode status, string body)
    {
        string at = $"{operation.Method} {operation.Path} {(int)status}";
        JsonElement responses = operation.Description.GetProperty("responses");
        Assert.True(responses.TryGetProperty($"{(int)status}", out JsonElement response), $"{at} is not described");
        // The first is what a caller without preferences gets.
        JsonProperty content = response.GetProperty("content").EnumerateObject().First();
        if (content.Name.EndsWith("json", StringComparison.Ordinal))
        {
            using var answer = JsonDocument.Parse(body);
            Check(answer.RootElement, content.Value.GetProperty("schema"), at);
        }
    }

    private void Check(JsonElement value, JsonElement schema, string at)
    {
        if (schema.TryGetProperty("$ref", out JsonElement reference))
        {
            string name = reference.GetString()!.Split('/')[^1];
            Check(value, root.GetProperty("components").GetProperty("schemas").GetProperty(name), at);
            return;
        }

        string type = schema.GetProperty("type").GetString()!;
        Assert.True(IsOf(type, value), $"{at}: {value.ValueKind} is not {type}");
        if (schema.TryGetProperty("enum", out JsonElement allowed))
        {
            Assert.Contains(value.GetString(), allowed.EnumerateArray().Select(one => one.GetString()));
        }

        if (type == "array")
        {
            Assert.All(value.EnumerateArray(), (item, i) => Check(item, schema.GetProperty("items"), $"{at}[{i}]"));
        }
        else if (type == "object")
        {
            CheckProperties(value, schema, at);
        }
    }

    private void CheckProperties(JsonElement value, JsonElement schema, string at)
    {
        string[] required = schema.TryGetProperty("required", out JsonElement names)
            ? [.. names.EnumerateArray().Select(name => name.GetString()!)]
            : [];
        Assert.True(required.All(name => value.TryGetProperty(name, out _)), $"{at} lacks one of {string.Join(", ", required)}: {value}");
        foreach (JsonProperty property in value.EnumerateObject())
        {
            JsonElement described =
                schema.TryGetProperty("properties", out JsonElement known) && known.TryGetProperty(property.Name, out JsonElement one) ? one
                : schema.TryGetProperty("additionalProperties", out JsonElement any) ? any
                : throw new InvalidOperationException($"{at}.{property.Name} is not described");
            Check(property.Value, described, $"{at}.{property.Name}");
        }
    }

    private static bool IsOf(string type, JsonElement value) =>
        (type, value.ValueKind) switch
        {
            ("integer", JsonValueKind.Number) => value.TryGetInt64(out _),
            ("number", JsonValueKind.Number) => true,
            ("boolean", JsonValueKind.True or JsonValueKind.False) => true,
            _ => type.Equals(value.ValueKind.ToString(), StringComparison.OrdinalIgnoreCase),
        };
}
