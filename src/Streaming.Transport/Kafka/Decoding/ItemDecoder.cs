using System.Text;
using System.Text.Unicode;
using Google.Protobuf;
using Streaming.Contracts;
using Streaming.Core.Events;
using Streaming.Core.Hashing;
using Streaming.Core.Items;
using Streaming.Formats.Mapping;
using Streaming.Transport.Kafka.Clients;

namespace Streaming.Transport.Kafka.Decoding;

/// <summary>Decodes the records of the items topic. These are few, so this allocates what an item is made of, within bounds.</summary>
public sealed class ItemDecoder
{
    private static readonly MessageParser<Item> Parser = Item.Parser.WithDiscardUnknownFields(true);
    private readonly RecordFormat _format;
    private readonly int _maxBytes;
    private readonly ItemLimits _limits;
    private readonly MappedItemReader? _mapped;

    /// <summary>Creates a decoder.</summary>
    /// <param name="format">How the values are written.</param>
    /// <param name="maxBytes">Longest value that is looked at, 1 and up.</param>
    /// <param name="limits">What an item may be made of.</param>
    /// <param name="map">Which field of a JSON record is what; null: the contract's shape.</param>
    public ItemDecoder(RecordFormat format, int maxBytes, ItemLimits limits, ItemMap? map = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxBytes, 1);
        ArgumentNullException.ThrowIfNull(limits);
        _format = format;
        _maxBytes = maxBytes;
        _limits = limits;
        _mapped = map is null ? null : new MappedItemReader(map, limits);
    }

    /// <summary>Decodes a record. Any bytes may come: the answer is a change or a reason, never an exception.</summary>
    /// <param name="key">The record's key: the item's id, or empty.</param>
    /// <param name="value">The record's value.</param>
    /// <param name="isTombstone">Whether the value is null: the item is gone.</param>
    /// <param name="producedTime">When the record was produced, Unix milliseconds.</param>
    /// <param name="change">The change, or null.</param>
    /// <param name="origin">What a mapping may take from the record besides its value.</param>
    public DeadLetterReason Decode(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, bool isTombstone, long producedTime, out ItemChange? change, RecordOrigin? origin = null)
    {
        change = null;
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

    private static ItemChange Removed(ReadOnlySpan<byte> id, long producedTime) =>
        new() { ItemKey = XxHash64.Hash(id), ItemId = Encoding.UTF8.GetString(id), IsRemoved = true, ProducedTime = producedTime };

    // The key of a mapped record is its source's (Debezium's {"id":7}), and no second name of the item.
    private DeadLetterReason DecodeMapped(ReadOnlySpan<byte> value, long producedTime, RecordOrigin? origin, out ItemChange? change)
    {
        change = null;
        DeadLetterReason reason = CheckValue(ref value);
        Item? item = null;
        bool isRemoved = false;
        if (reason == DeadLetterReason.None)
        {
            reason = _mapped!.Read(value, origin, out item, out isRemoved);
        }

        if (reason == DeadLetterReason.None && isRemoved)
        {
            byte[] id = Encoding.UTF8.GetBytes(item!.ItemId);
            reason = CheckId(id, mayBeEmpty: false);
            change = reason == DeadLetterReason.None ? Removed(id, producedTime) : null;
            return reason;
        }

        return reason == DeadLetterReason.None ? Convert(item!, [], producedTime, out change) : reason;
    }

    private static DeadLetterReason CheckId(ReadOnlySpan<byte> id, bool mayBeEmpty)
    {
        if (id.IsEmpty)
        {
            return mayBeEmpty ? DeadLetterReason.None : DeadLetterReason.NoItem;
        }

        if (id.Length > InteractionEvent.MaxIdBytes)
        {
            return DeadLetterReason.IdTooLong;
        }

        return Utf8.IsValid(id) ? DeadLetterReason.None : DeadLetterReason.InvalidUtf8;
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
            return JsonItemReader.Read(value, _limits, out item);
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
            reason = DeadLetterReason.KeyMismatch;
        }

        if (reason == DeadLetterReason.None)
        {
            reason = Check(item);
        }

        if (reason != DeadLetterReason.None)
        {
            return reason;
        }

        change = new ItemChange
        {
            ItemKey = XxHash64.Hash(id),
            ItemId = Encoding.UTF8.GetString(id),
            Features = item.Features.Where(group => IsTaken(group.Key)).ToDictionary(static group => group.Key, static group => group.Value.Values.ToArray(), StringComparer.Ordinal),
            Text = item.Text.ToDictionary(StringComparer.Ordinal),
            ProducedTime = producedTime,
        };
        return DeadLetterReason.None;
    }

    private bool IsTaken(string group) => _limits.FeatureGroups.Count == 0 || _limits.FeatureGroups.ContainsKey(group);

    private DeadLetterReason Check(Item item)
    {
        if (item.Features.Count > _limits.MaxGroups || item.Text.Count > _limits.MaxTextFields)
        {
            return DeadLetterReason.TooManyFeatures;
        }

        foreach ((string name, string text) in item.Text)
        {
            if (name.Length is 0 or > InteractionEvent.MaxIdBytes || text.Length > _limits.MaxTextLength)
            {
                return name.Length == 0 || name.Length > InteractionEvent.MaxIdBytes ? DeadLetterReason.IdTooLong : DeadLetterReason.TooManyFeatures;
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
            return DeadLetterReason.IdTooLong;
        }

        if (group.Values.Count > _limits.MaxGroupLength)
        {
            return DeadLetterReason.TooManyFeatures;
        }

        if (_limits.FeatureGroups.TryGetValue(name, out int length) && group.Values.Count != length)
        {
            return DeadLetterReason.WrongFeatureLength;
        }

        foreach (float value in group.Values)
        {
            if (!(MathF.Abs(value) <= _limits.MaxMagnitude))
            {
                return DeadLetterReason.InvalidNumber;
            }
        }

        return DeadLetterReason.None;
    }
}
