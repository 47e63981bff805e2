using System.Text.Json;
using System.Text.Json.Serialization;

namespace Streaming.Core.Embeddings;

/// <summary>How a model's keys are formed, as recorded in the store under <c>m:&lt;model&gt;:layout</c>.</summary>
/// <param name="Version">1: the hash tag of a partition is its number. 2: a tag whose slot is evenly spaced
/// (<see cref="HashSlots.EvenTags"/>).</param>
/// <param name="Partitions">The number of partitions P.</param>
public readonly record struct KeyLayout(
    [property: JsonPropertyName("layout")] int Version,
    [property: JsonPropertyName("partitions")] int Partitions
)
{
    /// <summary>The version that new models get.</summary>
    public const int Newest = 2;

    /// <summary>Parses a record.</summary>
    /// <exception cref="FormatException">It is not a layout record, or its version is unknown.</exception>
    public static KeyLayout Parse(ReadOnlySpan<byte> json)
    {
        KeyLayout layout;
        try
        {
            layout = JsonSerializer.Deserialize<KeyLayout>(json);
        }
        catch (JsonException error)
        {
            throw new FormatException($"The key layout record is not JSON with numbers 'layout' and 'partitions': {error.Message}", error);
        }

        return layout.Version is >= 1 and <= Newest && layout.Partitions is >= 1 and <= HashSlots.Count
            ? layout
            : throw new FormatException(
                $"The key layout record has layout {layout.Version} and {layout.Partitions} partitions; supported: layouts 1 to "
                    + $"{Newest}, 1 to {HashSlots.Count} partitions."
            );
    }

    /// <summary>Serializes the record.</summary>
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this);

    /// <summary>Creates the key names of a model.</summary>
    /// <param name="model">The model.</param>
    /// <param name="partitions">The configured number of partitions.</param>
    /// <exception cref="KeyLayoutException">The store has a different number of partitions.</exception>
    public RedisKeys Keys(string model, int partitions) =>
        Partitions == partitions ? new RedisKeys(model, partitions, Version) : throw new KeyLayoutException(model, partitions, Partitions);
}
