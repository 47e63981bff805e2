using System.Text.Json;
using Streaming.Core.Embeddings;

namespace Streaming.Core.Generations;

/// <summary>What a generation says of itself beside the pointer to the active one, as JSON under <see cref="RedisKeys.Generation"/>.</summary>
public sealed record GenerationRecord
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { MaxDepth = 8 };

    /// <summary>Gets the fencing token of the trainer that wrote it. Stands first: the store compares it before a write.</summary>
    public uint Token { get; init; }

    /// <summary>Gets the training steps that the model had done.</summary>
    public long Step { get; init; }

    /// <summary>Gets the generation, 1 and up.</summary>
    public uint Generation { get; init; }

    /// <summary>Gets the user tower's name.</summary>
    public string Tower { get; init; } = string.Empty;

    /// <summary>Gets the nested widths.</summary>
    public IReadOnlyList<int> Widths { get; init; } = [];

    /// <summary>Gets the number of items that are published.</summary>
    public long Items { get; init; }

    /// <summary>Gets the share of the newest events whose item was among the first 20 (or the nearest cutoff to that)
    /// before it was learned, at full width.</summary>
    public double Recall { get; init; }

    /// <summary>Gets over how many events <see cref="Recall"/> was measured; 0: it was not.</summary>
    public long Examples { get; init; }

    /// <summary>Gets when it was written, Unix milliseconds.</summary>
    public long Written { get; init; }

    /// <summary>Gets a value indicating whether its trainer has once switched the readers to it: it does not do so a second
    /// time, so that a way back by hand stays.</summary>
    public bool Switched { get; init; }

    /// <summary>Gets the version of the model.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public ModelVersion Version => new(Generation, Token, Step);

    /// <summary>Reads a record.</summary>
    /// <exception cref="FormatException">It is not one.</exception>
    public static GenerationRecord Parse(ReadOnlySpan<byte> json)
    {
        try
        {
            return JsonSerializer.Deserialize<GenerationRecord>(json, Json) is { Generation: > 0, Widths.Count: > 0 } record
                ? record
                : throw new FormatException("The record of a generation names no generation or no widths.");
        }
        catch (JsonException exception)
        {
            throw new FormatException($"The record of a generation cannot be read: {exception.Message}", exception);
        }
    }

    /// <summary>The JSON.</summary>
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, Json);
}
