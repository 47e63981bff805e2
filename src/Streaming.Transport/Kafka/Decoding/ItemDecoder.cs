using System.Globalization;
using System.Text;
using System.Text.Unicode;
using Google.Protobuf;
using Streaming.Contracts;
using Streaming.Core.Events;
using Streaming.Core.Hashing;
using Streaming.Core.Items;
using Streaming.Formats.Mapping;
using Streaming.Transport.Kafka.Clients;
using Streaming.Transport.Kafka.Registry;

namespace Streaming.Transport.Kafka.Decoding;

/// <summary>Decodes the records of the items topic. These are few, so this allocates what an item is made of, within bounds.</summary>
public sealed class ItemDecoder
{
    private static readonly MessageParser<Item> Parser = Item.Parser.WithDiscardUnknownFields(true);
    private readonly RecordFormat _format;
    private readonly int _maxBytes;
    private readonly ItemLimits _limits;
    private readonly MappedItemReader? _mapped;
    private readonly AttributeWriter _attributes;
    private string? _fault;

    /// <summary>Creates a decoder.</summary>
    /// <param name="format">How the values are written.</param>
    /// <param name="maxBytes">Longest value that is looked at, 1 and up.</param>
    /// <param name="limits">What an item may be made of.</param>
    /// <param name="map">Which field of a JSON record is what; null: the contract's shape.</param>
    public ItemDecoder(RecordFormat format, int maxBytes, ItemLimits limits, ItemMap? map = null)
        : this(format, maxBytes, limits, map, schemas: null) { }

    /// <summary>Creates a decoder.</summary>
    /// <param name="format">How the values are written.</param>
    /// <param name="maxBytes">Longest value that is looked at, 1 and up.</param>
    /// <param name="limits">What an item may be made of.</param>
    /// <param name="map">Which field of a record is what; null: the contract's shape.</param>
    /// <param name="schemas">The schemas that values name; null: they are of the format.</param>
    internal ItemDecoder(RecordFormat format, int maxBytes, ItemLimits limits, ItemMap? map, RegistrySchemas? schemas)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxBytes, 1);
        ArgumentNullException.ThrowIfNull(limits);
        _format = format;
        _maxBytes = maxBytes;
        _limits = limits;
        _attributes = new AttributeWriter(limits);
        _mapped = map is null
            ? null
            : new MappedItemReader(map, limits, new MappedValueReader("STREAMING__Kafka__ItemsFormat", maxBytes, schemas));
    }

    /// <summary>Decodes a record. Any bytes may come: the answer is a change or a reason, never an exception.</summary>
    /// <param name="key">The record's key: the item's id, or empty.</param>
    /// <param name="value">The record's value.</param>
    /// <param name="isTombstone">Whether the value is null: the item is gone.</param>
    /// <param name="producedTime">When the record was produced, Unix milliseconds.</param>
    /// <param name="change">The change, or null.</param>
    /// <param name="origin">What a mapping may take from the record besides its value.</param>
    public DeadLetterReason Decode(
        ReadOnlySpan<byte> key,
        ReadOnlySpan<byte> value,
        bool isTombstone,
        long producedTime,
        out ItemChange? change,
        RecordOrigin? origin = null
    )
    {
        change = null;
        _fault = null;
        if (_mapped is not null && !isTombstone)
        {
            return DecodeMapped(value, producedTime, origin, out change);
        }

        DeadLetterReason reason = CheckId(key, mayBeEmpty: !isTombstone);
        if (reason != DeadLetterReason.None)
        {
            return reason;
        }

        if (isTombstone)
        {
            change = Removed(key, producedTime);
            return DeadLetterReason.None;
        }

        reason = Parse(value, out Item? item);
        return reason == DeadLetterReason.None ? Convert(item!, key, producedTime, out change) : reason;
    }

    /// <summary>Says what is wrong with the record decoded last: the field, its value shortened, what is allowed.</summary>
    /// <param name="value">Its value.</param>
    /// <param name="reason">What <see cref="Decode"/> gave.</param>
    public string Explain(ReadOnlySpan<byte> value, DeadLetterReason reason) =>
        _fault
        ?? (_mapped is not null ? reason.ToString() : null)
        ?? ValueFault.Describe(value, _format, "STREAMING__Kafka__ItemsFormat", _maxBytes, reason)
        ?? (reason == DeadLetterReason.Malformed ? ItemFault.Describe(value) : null)
        ?? reason.ToString();

    private DeadLetterReason Wrong(DeadLetterReason reason, string fault)
    {
        _fault = fault;
        return reason;
    }

    private static ItemChange Removed(ReadOnlySpan<byte> id, long producedTime) =>
        new()
        {
            ItemKey = XxHash64.Hash(id),
            ItemId = Encoding.UTF8.GetString(id),
            IsRemoved = true,
            ProducedTime = producedTime,
        };

    // The key of a mapped record is its source's (Debezium's {"id":7}), and no second name of the item.
    private DeadLetterReason DecodeMapped(ReadOnlySpan<byte> value, long producedTime, RecordOrigin? origin, out ItemChange? change)
    {
        change = null;
        DeadLetterReason reason = _mapped!.Read(value, origin, out Item? item, out bool isRemoved);
        _fault = _mapped.Fault;
        if (reason == DeadLetterReason.None && isRemoved)
        {
            byte[] id = Encoding.UTF8.GetBytes(item!.ItemId);
            reason = CheckId(id, mayBeEmpty: false);
            change = reason == DeadLetterReason.None ? Removed(id, producedTime) : null;
            return reason;
        }

        return reason == DeadLetterReason.None ? Convert(item!, [], producedTime, out change) : reason;
    }

    private DeadLetterReason CheckId(ReadOnlySpan<byte> id, bool mayBeEmpty)
    {
        if (id.IsEmpty)
        {
            return mayBeEmpty ? DeadLetterReason.None : Wrong(DeadLetterReason.NoItem, "neither the key nor the value names the item");
        }

        if (id.Length > InteractionEvent.MaxIdBytes)
        {
            return Wrong(
                DeadLetterReason.IdTooLong,
                $"the item id is {ShortText.Of(id)}; allowed: at most {InteractionEvent.MaxIdBytes} bytes"
            );
        }

        return Utf8.IsValid(id)
            ? DeadLetterReason.None
            : Wrong(DeadLetterReason.InvalidUtf8, $"the item id is {ShortText.Of(id)}; allowed: UTF-8");
    }

    private DeadLetterReason Parse(ReadOnlySpan<byte> value, out Item? item)
    {
        item = null;
        DeadLetterReason reason = CheckValue(ref value);
        if (reason != DeadLetterReason.None)
        {
            return reason;
        }

        if (_format == RecordFormat.Json)
        {
            reason = JsonItemReader.Read(value, _limits, out item);
            return reason == DeadLetterReason.TooManyFeatures ? Wrong(reason, TooMany("text fields", "values in a feature group")) : reason;
        }

        try
        {
            item = Parser.ParseFrom(value);
            return DeadLetterReason.None;
        }
        catch (InvalidProtocolBufferException)
        {
            return DeadLetterReason.Malformed;
        }
    }

    private DeadLetterReason CheckValue(ref ReadOnlySpan<byte> value) =>
        value.IsEmpty ? DeadLetterReason.Empty
        : value.Length > _maxBytes ? DeadLetterReason.TooLarge
        : ConfluentWireHeader.TrySkip(ref value, _format) ? DeadLetterReason.None
        : DeadLetterReason.BadWireHeader;

    private DeadLetterReason Convert(Item item, ReadOnlySpan<byte> key, long producedTime, out ItemChange? change)
    {
        change = null;
        byte[] id = item.ItemId.Length == 0 ? key.ToArray() : Encoding.UTF8.GetBytes(item.ItemId);
        DeadLetterReason reason = CheckId(id, mayBeEmpty: false);
        if (reason == DeadLetterReason.None && !key.IsEmpty && !key.SequenceEqual(id))
        {
            reason = Wrong(
                DeadLetterReason.KeyMismatch,
                $"the key is {ShortText.Of(key)}, the value's item id {ShortText.Of(id)}; allowed: the same bytes, or no "
                    + $"key{(IsQuoted(key, id) ? " (the key is written as JSON: send the id alone)" : string.Empty)}"
            );
        }

        if (reason == DeadLetterReason.None)
        {
            reason = Check(item);
        }

        string? attributes = null;
        if (reason == DeadLetterReason.None)
        {
            reason = _attributes.Write(item, out attributes);
            _fault ??= _attributes.Fault;
        }

        var text = item.Text.ToDictionary(StringComparer.Ordinal);
        if (reason == DeadLetterReason.None)
        {
            reason = AddCategories(item, text);
        }

        if (reason != DeadLetterReason.None)
        {
            return reason;
        }

        change = new ItemChange
        {
            ItemKey = XxHash64.Hash(id),
            ItemId = Encoding.UTF8.GetString(id),
            Features = item
                .Features.Where(group => IsTaken(group.Key))
                .ToDictionary(static group => group.Key, static group => group.Value.Values.ToArray(), StringComparer.Ordinal),
            Text = text,
            Attributes = attributes,
            ProducedTime = producedTime,
        };
        return DeadLetterReason.None;
    }

    // Lists come as attributes: a text field of the contract is one text.
    private DeadLetterReason AddCategories(Item item, Dictionary<string, string> text)
    {
        foreach (string name in _limits.Categories)
        {
            if (text.ContainsKey(name) || !item.Attributes.TryGetValue(name, out AttributeValue? value))
            {
                continue;
            }

            if (value.Texts.Count > _limits.MaxAttributeTexts)
            {
                return Wrong(
                    DeadLetterReason.TooManyFeatures,
                    FormattableString.Invariant(
                        $"attribute '{name}' has more than {_limits.MaxAttributeTexts} texts; allowed: at most {_limits.MaxAttributeTexts}"
                    )
                );
            }

            text[name] = string.Join(ItemChange.ListSeparator, value.Texts);
        }

        return DeadLetterReason.None;
    }

    private bool IsTaken(string group) => _limits.FeatureGroups.Count == 0 || _limits.FeatureGroups.ContainsKey(group);

    private static bool IsQuoted(ReadOnlySpan<byte> key, ReadOnlySpan<byte> id) =>
        key is [(byte)'"', .. var inner, (byte)'"'] && inner.SequenceEqual(id);

    private string TooMany(string first, string second) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"too many {first} or {second}; allowed: {_limits.MaxGroups} feature groups of {_limits.MaxGroupLength} values, "
                + $"{_limits.MaxTextFields} text fields of {_limits.MaxTextLength} characters"
        );

    private DeadLetterReason Check(Item item)
    {
        if (item.Features.Count > _limits.MaxGroups || item.Text.Count > _limits.MaxTextFields)
        {
            return Wrong(DeadLetterReason.TooManyFeatures, TooMany("feature groups", "text fields"));
        }

        foreach ((string name, string text) in item.Text)
        {
            if (name.Length is 0 or > InteractionEvent.MaxIdBytes)
            {
                return WrongName(name);
            }

            if (text.Length > _limits.MaxTextLength)
            {
                return Wrong(
                    DeadLetterReason.TooManyFeatures,
                    FormattableString.Invariant(
                        $"text field '{name}' has {text.Length} characters; allowed: at most {_limits.MaxTextLength}"
                    )
                );
            }
        }

        foreach ((string name, Features group) in item.Features)
        {
            DeadLetterReason reason = CheckGroup(name, group);
            if (reason != DeadLetterReason.None)
            {
                return reason;
            }
        }

        return DeadLetterReason.None;
    }

    private DeadLetterReason CheckGroup(string name, Features group)
    {
        if (name.Length is 0 or > InteractionEvent.MaxIdBytes)
        {
            return WrongName(name);
        }

        if (group.Values.Count > _limits.MaxGroupLength)
        {
            return Wrong(
                DeadLetterReason.TooManyFeatures,
                FormattableString.Invariant(
                    $"feature group '{name}' has {group.Values.Count} values; allowed: at most {_limits.MaxGroupLength}"
                )
            );
        }

        if (_limits.FeatureGroups.TryGetValue(name, out int length) && group.Values.Count != length)
        {
            return Wrong(
                DeadLetterReason.WrongFeatureLength,
                FormattableString.Invariant(
                    $"feature group '{name}' has {group.Values.Count} values; allowed: {length} (STREAMING__Model__FeatureGroups)"
                )
            );
        }

        foreach (float value in group.Values)
        {
            if (!(MathF.Abs(value) <= _limits.MaxMagnitude))
            {
                return Wrong(
                    DeadLetterReason.InvalidNumber,
                    FormattableString.Invariant(
                        $"feature group '{name}' holds {value}; allowed: -{_limits.MaxMagnitude} to {_limits.MaxMagnitude}"
                    )
                );
            }
        }

        return DeadLetterReason.None;
    }

    private DeadLetterReason WrongName(string name) =>
        Wrong(
            DeadLetterReason.IdTooLong,
            $"the name of a text field or feature group is {ShortText.Of(Encoding.UTF8.GetBytes(name))}; allowed: 1 to "
                + $"{InteractionEvent.MaxIdBytes} characters"
        );
}
