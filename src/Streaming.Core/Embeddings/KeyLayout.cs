using System.Text.Json;
using System.Text.Json.Serialization;

namespace Streaming.Core.Embeddings;

/// <summary>How a model's keys are formed, as the store's record <c>m:&lt;model&gt;:layout</c> says.</summary>
/// <param name="Version">1: the hash tag of a partition is its number. 2: a tag whose slot is evenly spaced (<see cref="HashSlots.EvenTags"/>).</param>
/// <param name="Partitions">The number of partitions P.</param>
public readonly record struct KeyLayout(
    [property: JsonPropertyName("layout")] int Version, [property: JsonPropertyName("partitions")] int Partitions)
{
    /// <summary>The version that a new model gets.</summary>
    public const int Newest = 2;

    /// <summary>Reads a record.</summary>
    /// <exception cref="FormatException">It is not one, or of a version that is not known here.</exception>
    public static KeyLayout Parse(ReadOnlySpan<byte> json)
    {
        KeyLayout layout;
        try
        {
            layout = JsonSerializer.Deserialize<KeyLayout>(json);
        }
        catch (JsonException error)
        {
            throw new FormatException($"The record of the key layout is not JSON with numbers 'layout' and 'partitions': {error.Message}", error);
        }

        return layout.Version is >= 1 and <= Newest && layout.Partitions is >= 1 and <= HashSlots.Count ? layout
            : throw new FormatException($"The record of the key layout has layout {layout.Version} and {layout.Partitions} partitions; known: layouts 1 to {Newest}, 1 to {HashSlots.Count} partitions.");
    }

    /// <summary>Writes a record.</summary>
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this);

    /// <summary>Makes the names of a model's keys.</summary>
    /// <param name="model">The model.</param>
    /// <param name="partitions">The number of partitions that this program is set to.</param>
    /// <exception cref="KeyLayoutException">The store's number is another.</exception>
    public RedisKeys Keys(string model, int partitions) => Partitions == partitions
        ? new RedisKeys(model, partitions, Version)
        : throw new KeyLayoutException(model, partitions, Partitions);
}
