using System.Globalization;
using System.Text;
using System.Text.Unicode;
using Streaming.Contracts;
using Streaming.Core.Events;
using Streaming.Core.Items;
using Streaming.Formats.Mapping;
using Streaming.Formats.Records;

namespace Streaming.Transport.Kafka.Decoding;

/// <summary>
/// Reads a catalogue record by a mapping into the same message that the contract's shape gives, so that the rules exist once.
/// </summary>
/// <param name="map">The mapping.</param>
/// <param name="limits">What an item may be made of.</param>
/// <param name="values">Reads the values.</param>
internal sealed class MappedItemReader(ItemMap map, ItemLimits limits, MappedValueReader values)
{
    private readonly RecordTree _record = new();
    private readonly ItemMapper _mapper = new(map);

    /// <summary>Gets what is wrong with the record read last; null: nothing, or what its bytes say by themselves.</summary>
    public string? Fault { get; private set; }

    public DeadLetterReason Read(ReadOnlySpan<byte> value, RecordOrigin? origin, out Item? item, out bool isRemoved)
    {
        item = null;
        isRemoved = false;
        Fault = null;
        DeadLetterReason reason = values.Read(value, _record);
        if (reason != DeadLetterReason.None)
        {
            Fault = values.Explain(value, reason);
            return reason;
        }

        reason = _mapper.Map(_record, origin);
        if (reason != DeadLetterReason.None)
        {
            return Wrong(
                reason,
                reason == DeadLetterReason.NoItem
                    ? $"item ({map.Item}) is {Shown(_mapper.Item)}; allowed: a text or a number"
                    : "the record is not an object with named fields"
            );
        }

        if (!Utf8.IsValid(_mapper.ItemId))
        {
            return Wrong(DeadLetterReason.InvalidUtf8, $"item ({map.Item}) is {Shown(_mapper.Item)}; allowed: UTF-8");
        }

        isRemoved = _mapper.IsRemoved;
        item = new Item { ItemId = Encoding.UTF8.GetString(_mapper.ItemId) };
        foreach ((string name, FieldPath path) in isRemoved ? [] : map.Fields)
        {
            reason = Add(item, name, _mapper.Field(path));
            if (reason != DeadLetterReason.None)
            {
                return reason;
            }
        }

        return DeadLetterReason.None;
    }

    private DeadLetterReason Add(Item item, string name, RecordValue value)
    {
        if (value.IsNothing)
        {
            return DeadLetterReason.None;
        }

        if (limits.FeatureGroups.ContainsKey(name))
        {
            return AddFeatures(item, name, value);
        }

        if (value.Kind == ValueKind.Fields)
        {
            return Wrong(DeadLetterReason.Malformed, $"{name} is an object; allowed: a text, a number, or a list of them");
        }

        bool isAttribute = limits.Attributes.Any(attribute => attribute.Name == name);
        var attribute = new AttributeValue();

        // Tags and categories come as lists.
        var texts = new List<string>();
        for (RecordValue part = First(value); part.Kind != ValueKind.Missing; part = Next(value, part))
        {
            if (!Utf8.IsValid(part.Text))
            {
                return Wrong(DeadLetterReason.InvalidUtf8, $"{name} is {Shown(part)}; allowed: UTF-8");
            }

            texts.Add(Encoding.UTF8.GetString(part.Text));
            if (isAttribute && texts.Count <= limits.MaxAttributeTexts + 1)
            {
                attribute.Texts.Add(texts[^1]);
            }
        }

        if (isAttribute)
        {
            item.Attributes[name] = attribute;
        }

        item.Text[name] = string.Join(limits.Categories.Contains(name) ? $"{ItemChange.ListSeparator}" : ", ", texts);
        return DeadLetterReason.None;
    }

    private DeadLetterReason AddFeatures(Item item, string name, RecordValue value)
    {
        var group = new Features();
        for (RecordValue part = First(value); part.Kind != ValueKind.Missing; part = Next(value, part))
        {
            if (group.Values.Count == limits.MaxGroupLength)
            {
                return Wrong(
                    DeadLetterReason.TooManyFeatures,
                    FormattableString.Invariant($"feature group '{name}' has more than {limits.MaxGroupLength} values")
                );
            }

            if (!double.TryParse(part.Text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number))
            {
                return Wrong(DeadLetterReason.InvalidNumber, $"feature group '{name}' holds {Shown(part)}; allowed: numbers");
            }

            group.Values.Add((float)number);
        }

        item.Features[name] = group;
        return DeadLetterReason.None;
    }

    private DeadLetterReason Wrong(DeadLetterReason reason, string fault)
    {
        Fault = fault;
        return reason;
    }

    private static string Shown(RecordValue value) =>
        value.Kind switch
        {
            ValueKind.Missing => "missing",
            ValueKind.Null => "null",
            ValueKind.Fields => "an object",
            ValueKind.List => "a list",
            _ => ShortText.Of(value.Text),
        };

    // One value is a list of one.
    private static RecordValue First(RecordValue value) => value.Kind == ValueKind.List ? value.First : value;

    private static RecordValue Next(RecordValue value, RecordValue part) => value.Kind == ValueKind.List ? part.Next : default;
}
