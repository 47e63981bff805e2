using System.Text.Json;
using Streaming.Core.Embeddings;
using Streaming.Core.Items;

namespace Streaming.Core.Generations;

/// <summary>Description of a generation, stored as JSON under <see cref="RedisKeys.Generation"/>.</summary>
public sealed record GenerationRecord
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { MaxDepth = 8 };

    /// <summary>Gets the fencing token of the trainer that wrote it. Must come first: the store compares it before a write.</summary>
    public uint Token { get; init; }

    /// <summary>Gets the number of training steps of the model.</summary>
    public long Step { get; init; }

    /// <summary>Gets the generation, 1 and up.</summary>
    public uint Generation { get; init; }

    /// <summary>Gets the user tower's name.</summary>
    public string Tower { get; init; } = string.Empty;

    /// <summary>Gets the nested widths.</summary>
    public IReadOnlyList<int> Widths { get; init; } = [];

    /// <summary>Gets the number of published items.</summary>
    public long Items { get; init; }

    /// <summary>Gets the share of the newest events whose item ranked in the first 20 (or the nearest configured cutoff)
    /// before it was trained on, at full width.</summary>
    public double Recall { get; init; }

    /// <summary>Gets the number of events that <see cref="Recall"/> was measured on; 0: not measured.</summary>
    public long Examples { get; init; }

    /// <summary>Gets the attributes that its items have, in the form of <see cref="AttributeDefinition"/>.</summary>
    public IReadOnlyList<string> Attributes { get; init; } = [];

    /// <summary>Gets when it was written, Unix milliseconds.</summary>
    public long Written { get; init; }

    /// <summary>Gets a value indicating whether its trainer has switched the readers to it. It does so only once, so a manual
    /// switch back is not undone.</summary>
    public bool Switched { get; init; }

    /// <summary>Gets the version of the model.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public ModelVersion Version => new(Generation, Token, Step);

    /// <summary>Reads a record.</summary>
    /// <exception cref="FormatException">The JSON is not a generation record.</exception>
    public static GenerationRecord Parse(ReadOnlySpan<byte> json)
    {
        try
        {
            return JsonSerializer.Deserialize<GenerationRecord>(json, Json) is { Generation: > 0, Widths.Count: > 0 } record
                ? record
                : throw new FormatException("The generation record lacks a generation or widths.");
        }
        catch (JsonException exception)
        {
            throw new FormatException($"The generation record cannot be read: {exception.Message}", exception);
        }
    }

    /// <summary>Serializes the record.</summary>
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, Json);
}
