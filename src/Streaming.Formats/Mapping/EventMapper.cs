using System.Globalization;
using System.Text.Unicode;
using Streaming.Core.Events;
using Streaming.Formats.Records;

namespace Streaming.Formats.Mapping;

/// <summary>Maps records to events: by a mapping, or by the record's own field names. Not thread-safe.</summary>
public sealed class EventMapper
{
    private readonly FieldFinder _finder;
    private readonly FieldMap? _map;
    private readonly TimeReader _times;
    private readonly List<Slot> _events = [];
    private RecordTree _record = new();
    private RecordOrigin? _origin;
    private FieldRole _wrongRole;
    private RecordValue _wrongValue;

    /// <summary>Creates a mapper.</summary>
    /// <param name="map">The mapping, or null: by the record's own field names.</param>
    /// <param name="times">How times are read.</param>
    public EventMapper(FieldMap? map, TimeReader times)
    {
        ArgumentNullException.ThrowIfNull(times);
        _map = map;
        _times = times;
        _finder = new FieldFinder(map);
    }

    /// <summary>Gets the number of events of the last record. 0 for a valid one: it reports a deleted row, or its list is empty.</summary>
    public int Count => _events.Count;

    /// <summary>An event of the last record: views into the record, valid until its tree is cleared.</summary>
    public InteractionEvent this[int index]
    {
        get
        {
            Slot slot = _events[index];
            return new InteractionEvent
            {
                UserId = IdText.Of(slot.User),
                ItemId = IdText.Of(slot.Item),
                Type = slot.Type.Text,
                EventId = slot.Id.Text,
                EventTime = slot.Time,
                Value = slot.Value,
                DwellTime = slot.Dwell,
            };
        }
    }

    /// <summary>The title of an event's item; empty if absent.</summary>
    public ReadOnlySpan<byte> Title(int index) => _events[index].Title.Text;

    /// <summary>The roles of the mapping that no record so far contained: probably a misspelt path.</summary>
    public IEnumerable<FieldRole> Unseen => FieldMap.Roles.Where(role => _map?[role] is not null && !_finder.HasSeen(role));

    /// <summary>Clears the last record.</summary>
    public void Clear()
    {
        _events.Clear();
        _wrongRole = default;
        _wrongValue = default;
    }

    /// <summary>Maps a record. Either all its events are valid, or it has none.</summary>
    /// <param name="record">The record's values; the mapping may append to it.</param>
    /// <param name="origin">Key, headers and timestamp of a topic's record, or null.</param>
    public DeadLetterReason Map(RecordTree record, RecordOrigin? origin)
    {
        ArgumentNullException.ThrowIfNull(record);
        Clear();
        _record = record;
        _origin = origin;
        if (record.Root.Kind is not (ValueKind.Fields or ValueKind.List))
        {
            _wrongValue = record.Root;
            return record.Root.Kind == ValueKind.Missing ? DeadLetterReason.Empty : DeadLetterReason.Malformed;
        }

        DeadLetterReason reason = _finder.Enter(record, origin) switch
        {
            RecordShape.Delete => DeadLetterReason.None,
            RecordShape.List => AddList(),
            _ => Add(-1),
        };
        if (reason != DeadLetterReason.None)
        {
            _events.Clear();
        }

        return reason;
    }

    /// <summary>Describes what is wrong with the last record, and what is allowed.</summary>
    /// <param name="reason">The result of <see cref="Map"/>.</param>
    public string Explain(DeadLetterReason reason)
    {
        string field = _finder.Describe(_wrongRole);
        string shown = ShortText.Of(_wrongValue.Text);
        return reason switch
        {
            DeadLetterReason.Empty => "the record is empty",
            DeadLetterReason.Malformed when _record.Root.Kind is not (ValueKind.Fields or ValueKind.List) =>
                "the record is not an object with named fields",
            DeadLetterReason.NoUser or DeadLetterReason.NoItem or DeadLetterReason.NoTime =>
                $"{field} is {(_wrongValue.Kind == ValueKind.Missing ? "missing" : "empty")}{_finder.Others()}",
            DeadLetterReason.IdTooLong => $"{field} is longer than {InteractionEvent.MaxIdBytes} bytes: {shown}",
            DeadLetterReason.InvalidUtf8 => $"{field} is not UTF-8: {shown}",
            DeadLetterReason.InvalidNumber => $"{field} is {shown}; allowed: a number with a decimal "
                + $"point{(_wrongRole == FieldRole.Dwell ? ", 0 and up" : string.Empty)}",
            DeadLetterReason.TimeOutOfRange or DeadLetterReason.Malformed when _wrongRole == FieldRole.Time =>
                $"{field} {shown} {_times.Explain(_wrongValue.Text)}",
            _ => $"{field} is {_wrongValue.Kind switch { ValueKind.List => "a list", ValueKind.Fields => "an object", _ => shown }}; "
                + "allowed: a text or a number",
        };
    }

    private DeadLetterReason AddList()
    {
        DeadLetterReason reason = DeadLetterReason.None;
        int index = 0;
        for (
            RecordValue element = _finder.FirstElement;
            element.Kind != ValueKind.Missing && reason == DeadLetterReason.None;
            element = element.Next
        )
        {
            _finder.EnterElement(element);
            reason = Add(index++);
        }

        return reason;
    }

    private DeadLetterReason Add(int index)
    {
        Slot slot = default;
        DeadLetterReason reason = ReadId(FieldRole.User, DeadLetterReason.NoUser, out slot.User);
        if (reason == DeadLetterReason.None)
        {
            reason = ReadId(FieldRole.Item, DeadLetterReason.NoItem, out slot.Item);
        }

        if (reason == DeadLetterReason.None)
        {
            reason = ReadTime(out slot.Time);
        }

        if (_finder.LedThroughNull)
        {
            return DeadLetterReason.None;
        }

        if (reason == DeadLetterReason.None)
        {
            reason = ReadRest(ref slot, index);
        }

        if (reason == DeadLetterReason.None)
        {
            _events.Add(slot);
        }

        return reason;
    }

    private DeadLetterReason ReadRest(ref Slot slot, int index)
    {
        DeadLetterReason reason = ReadId(FieldRole.Type, DeadLetterReason.None, out slot.Type);
        if (reason == DeadLetterReason.None)
        {
            reason = ReadId(FieldRole.Id, DeadLetterReason.None, out slot.Id);
        }

        if (reason == DeadLetterReason.None)
        {
            reason = ReadNumber(FieldRole.Value, out slot.Value);
        }

        if (reason == DeadLetterReason.None)
        {
            reason = ReadNumber(FieldRole.Dwell, out double? dwell);
            slot.Dwell = dwell is null ? null : (long)dwell;
        }

        // The title is for display, never a key: invalid UTF-8 in it is replaced when read.
        slot.Title = _finder.Find(FieldRole.Title);
        if (slot.Type.Text.IsEmpty && slot.Value is { } rating && _finder.ValueIsRating)
        {
            slot.Type = _record.Detached(ValueKind.Text, rating >= 4 ? "click"u8 : "view"u8);
        }

        if (index >= 0 && !slot.Id.Text.IsEmpty && !_finder.IsOfElement(FieldRole.Id))
        {
            reason = reason == DeadLetterReason.None ? Number(ref slot.Id, index) : reason;
        }

        return reason;
    }

    // Elements of one record are separate events: their ids are the record's id plus the index in the list.
    private DeadLetterReason Number(ref RecordValue id, int index)
    {
        int length = id.Text.Length;
        Span<byte> room = _record.Reserve(length + 12);
        id.Text.CopyTo(room);
        room[length] = (byte)'-';
        index.TryFormat(room[(length + 1)..], out int digits, default, CultureInfo.InvariantCulture);
        id = _record.Detached(_record.Take(length + 1 + digits));
        return length + 1 + digits <= InteractionEvent.MaxIdBytes
            ? DeadLetterReason.None
            : Wrong(FieldRole.Id, id, DeadLetterReason.IdTooLong);
    }

    private DeadLetterReason ReadId(FieldRole role, DeadLetterReason whenEmpty, out RecordValue value)
    {
        value = _finder.Find(role);
        if (
            value.Kind is ValueKind.Fields or ValueKind.List or ValueKind.Time or ValueKind.LocalTime
            || (value.Kind == ValueKind.Boolean && role != FieldRole.Type)
        )
        {
            return Wrong(role, value, DeadLetterReason.Malformed);
        }

        ReadOnlySpan<byte> text = value.Text;
        return text.IsEmpty ? (whenEmpty == DeadLetterReason.None ? whenEmpty : Wrong(role, value, whenEmpty))
            : text.Length > InteractionEvent.MaxIdBytes ? Wrong(role, value, DeadLetterReason.IdTooLong)
            : !Utf8.IsValid(text) ? Wrong(role, value, DeadLetterReason.InvalidUtf8)
            : DeadLetterReason.None;
    }

    private DeadLetterReason ReadTime(out long time)
    {
        RecordValue value = _finder.Find(FieldRole.Time);
        bool isOwn = _finder.TimeIsTheRecords || (value.IsNothing && _origin is not null);
        if (isOwn && _origin?.Timestamp is { } timestamp)
        {
            time = timestamp;
            return DeadLetterReason.None;
        }

        DeadLetterReason reason = _times.Read(value, out time);
        return reason == DeadLetterReason.None ? reason : Wrong(FieldRole.Time, value, reason);
    }

    private DeadLetterReason ReadNumber(FieldRole role, out double? number)
    {
        RecordValue value = _finder.Find(role);
        number = null;
        if (value.IsNothing || (value.Text.IsEmpty && value.Kind is ValueKind.Text))
        {
            return DeadLetterReason.None;
        }

        bool isNumber =
            double.TryParse(value.Text, NumberStyles.Float, CultureInfo.InvariantCulture, out double read) && double.IsFinite(read);
        number = read;
        return isNumber && (role != FieldRole.Dwell || read is >= 0 and < 1e15)
            ? DeadLetterReason.None
            : Wrong(role, value, DeadLetterReason.InvalidNumber);
    }

    private DeadLetterReason Wrong(FieldRole role, RecordValue value, DeadLetterReason reason)
    {
        _wrongRole = role;
        _wrongValue = value;
        return reason;
    }

    private record struct Slot
    {
        public RecordValue User;
        public RecordValue Item;
        public RecordValue Type;
        public RecordValue Id;
        public RecordValue Title;
        public long Time;
        public double? Value;
        public long? Dwell;
    }
}
