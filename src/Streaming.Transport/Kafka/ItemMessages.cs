using System.Text.Json;
using Streaming.Contracts;

namespace Streaming.Transport.Kafka;

/// <summary>Makes messages of the items topic from what files hold of an item.</summary>
public static class ItemMessages
{
    /// <summary>Makes a message.</summary>
    /// <param name="id">The item's id.</param>
    /// <param name="text">Text fields.</param>
    /// <param name="features">Feature groups.</param>
    /// <param name="attributes">Attributes, a JSON object of texts, lists of texts, numbers and truth values; null: none.</param>
    /// <exception cref="JsonException"><paramref name="attributes"/> are not JSON.</exception>
    public static Item Create(
        string id,
        IReadOnlyDictionary<string, string> text,
        IReadOnlyDictionary<string, float[]> features,
        string? attributes
    )
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(features);
        var item = new Item { ItemId = id };
        foreach ((string name, string value) in text)
        {
            item.Text.Add(name, value);
        }

        foreach ((string name, float[] values) in features)
        {
            var group = new Features();
            group.Values.AddRange(values);
            item.Features.Add(name, group);
        }

        if (attributes is not null)
        {
            using var json = JsonDocument.Parse(attributes);
            foreach (JsonProperty property in json.RootElement.EnumerateObject())
            {
                if (Attribute(property.Value) is { } value)
                {
                    item.Attributes[property.Name] = value;
                }
            }
        }

        return item;
    }

    private static AttributeValue? Attribute(JsonElement json)
    {
        var value = new AttributeValue();
        switch (json.ValueKind)
        {
            case JsonValueKind.Number:
                value.Number = json.GetDouble();
                return value;
            case JsonValueKind.True or JsonValueKind.False:
                value.Boolean = json.GetBoolean();
                return value;
            case JsonValueKind.String:
                value.Texts.Add(json.GetString());
                return value;
            case JsonValueKind.Array:
                value.Texts.AddRange(json.EnumerateArray().Select(static part => part.ToString()));
                return value;
            default:
                return null;
        }
    }
}
