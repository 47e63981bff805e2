using System.Text;
using Streaming.Core.Events;
using Streaming.Formats.Records;

namespace Streaming.Formats.Mapping;

/// <summary>Maps catalogue records to items. Not thread-safe.</summary>
public sealed class ItemMapper
{
    private readonly ItemMap _map;
    private readonly byte[][] _removed;
    private RecordTree _tree = new();
    private RecordOrigin? _origin;
    private RecordValue _record;
    private RecordValue _inner;

    /// <summary>Creates a mapper.</summary>
    public ItemMapper(ItemMap map)
    {
        ArgumentNullException.ThrowIfNull(map);
        _map = map;
        _removed =
        [
            .. map
                .Item.Steps.SkipWhile(static step => step.Name is "payload" or "after")
                .Select(static step => Encoding.UTF8.GetBytes(step.Name)),
        ];
    }

    /// <summary>Gets the item's value, valid until the record's tree is cleared.</summary>
    public RecordValue Item { get; private set; }

    /// <summary>Gets the item's id, UTF-8, written as that of events.</summary>
    public ReadOnlySpan<byte> ItemId => IdText.Of(Item);

    /// <summary>Gets a value indicating whether the record removes the item.</summary>
    public bool IsRemoved { get; private set; }

    /// <summary>Maps a record; <see cref="Field"/> then gives its fields.</summary>
    public DeadLetterReason Map(RecordTree record, RecordOrigin? origin)
    {
        ArgumentNullException.ThrowIfNull(record);
        if (record.Root.Kind != ValueKind.Fields)
        {
            return DeadLetterReason.Malformed;
        }

        _tree = record;
        _origin = origin;
        _record = record.Root;
        _inner = Envelope.Unwrap(_record, out bool isDelete);
        IsRemoved = isDelete;
        Item = isDelete && _map.Item.Source == FieldSource.Field && Removed() is { IsNothing: false } removed ? removed : Field(_map.Item);
        return Item.Kind is ValueKind.Text or ValueKind.Number && !Item.Text.IsEmpty ? DeadLetterReason.None : DeadLetterReason.NoItem;
    }

    /// <summary>The value of a field of the last record.</summary>
    public RecordValue Field(FieldPath path)
    {
        ArgumentNullException.ThrowIfNull(path);
        RecordValue value = One(path);
        while (path.Or is { } next && (value.IsNothing || (value.Kind == ValueKind.Text && value.Text.IsEmpty)))
        {
            path = next;
            value = One(path);
        }

        return value;
    }

    private RecordValue One(FieldPath path)
    {
        switch (path.Source)
        {
            case FieldSource.Constant:
                return _tree.Detached(ValueKind.Text, path.Utf8Text);
            case FieldSource.Key:
                return _origin is null ? default : _tree.Detached(ValueKind.Text, _origin.Key);
            case FieldSource.Header:
                return _origin is not null && _origin.TryFindHeader(path.Text, out ReadOnlySpan<byte> header)
                    ? _tree.Detached(ValueKind.Text, header)
                    : default;
            default:
                return PathWalk.From(_record, _inner, path.Steps, out _);
        }
    }

    // A deleted row's values are in the change's "before", under the same names as in "after".
    private RecordValue Removed()
    {
        RecordValue change = _record.Find("payload"u8) is { Kind: ValueKind.Fields } payload ? payload : _record;
        RecordValue value = change.Find("before"u8);
        foreach (byte[] name in _removed)
        {
            value = value.Find(name);
        }

        return value;
    }
}
