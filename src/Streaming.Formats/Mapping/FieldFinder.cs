using System.Text;
using Streaming.Formats.Records;

namespace Streaming.Formats.Mapping;

/// <summary>Finds the values of a record by their roles.</summary>
internal sealed class FieldFinder
{
    private readonly FieldMap? _map;
    private readonly bool[] _seen = new bool[FieldMap.Roles.Count];
    private readonly RecordValue[] _known = new RecordValue[FieldMap.Roles.Count];
    private readonly int[] _ranks = new int[FieldMap.Roles.Count];
    private RecordTree _tree = new();
    private RecordOrigin? _origin;
    private RecordValue _record;
    private RecordValue _inner;
    private RecordValue _list;
    private RecordValue _element;
    private bool _isElementRecord;

    public FieldFinder(FieldMap? map) => _map = map;

    /// <summary>Whether a path of a required field led through null: the record has no event.</summary>
    public bool LedThroughNull { get; private set; }

    /// <summary>Whether the mapping uses the record's own timestamp.</summary>
    public bool TimeIsTheRecords => _map?[FieldRole.Time] is { Source: FieldSource.Timestamp };

    /// <summary>Whether the value's field name identifies it as a rating.</summary>
    public bool ValueIsRating => _map is null && KnownNames.IsRating(_known[(int)FieldRole.Value].Name);

    /// <summary>The first element of the record's list.</summary>
    public RecordValue FirstElement => _list.Kind == ValueKind.List ? _list.First : default;

    public bool HasSeen(FieldRole role) => _seen[(int)role];

    /// <summary>Starts a record.</summary>
    public RecordShape Enter(RecordTree tree, RecordOrigin? origin)
    {
        _tree = tree;
        _origin = origin;
        _record = tree.Root;
        _element = default;
        LedThroughNull = false;
        _isElementRecord = false;
        _inner = Envelope.Unwrap(_record, out bool isDelete);
        if (isDelete)
        {
            return RecordShape.Delete;
        }

        if (_map is { List.Count: > 0 })
        {
            _list = PathWalk.From(_record, _inner, _map.List, out _);
            return RecordShape.List;
        }

        if (_inner.Kind == ValueKind.List && _inner.First.Kind is ValueKind.Fields)
        {
            _list = _inner;
            _isElementRecord = true;
            return RecordShape.List;
        }

        EnterNames();
        return RecordShape.One;
    }

    /// <summary>Starts an element of the record's list.</summary>
    public void EnterElement(RecordValue element)
    {
        LedThroughNull = false;
        _element = element;
        if (_isElementRecord)
        {
            // A list of records: each is treated like a separate record.
            _record = element;
            _inner = Envelope.Unwrap(element, out bool isDelete);
            LedThroughNull = isDelete;
            EnterNames();
        }
    }

    /// <summary>Whether a role's value belongs to the element rather than to the record.</summary>
    public bool IsOfElement(FieldRole role) => _isElementRecord || _map?[role] is { ListStep: >= 0 };

    public RecordValue Find(FieldRole role)
    {
        RecordValue value = _map is null ? _known[(int)role] : FindMapped(role, _map[role]);
        _seen[(int)role] |= value.Kind != ValueKind.Missing || (role == FieldRole.Time && TimeIsTheRecords);
        return value;
    }

    /// <summary>Names a role's field for the user.</summary>
    public string Describe(FieldRole role) =>
        _map?[role] is { } path ? $"{FieldMap.Name(role)} ({string.Join('|', path.Alternatives)})"
        : _known[(int)role] is { Kind: not ValueKind.Missing } known ? $"{FieldMap.Name(role)} ({Encoding.UTF8.GetString(known.Name)})"
        : FieldMap.Name(role);

    /// <summary>Lists the record's fields, for a message about a missing one.</summary>
    public string Others()
    {
        var names = new List<string>();
        RecordValue parent = _element.Kind == ValueKind.Fields ? _element : _record;
        for (RecordValue child = parent.First; child.Kind != ValueKind.Missing && names.Count < 12; child = child.Next)
        {
            names.Add(Encoding.UTF8.GetString(child.Name));
        }

        return parent.Kind == ValueKind.Fields ? $"; the record has {string.Join(", ", names)}" : string.Empty;
    }

    // The first alternative with a value; without one, the first that is there, for messages.
    private RecordValue FindMapped(FieldRole role, FieldPath? path)
    {
        RecordValue empty = default;
        bool throughNull = false;
        for (; path is not null; path = path.Or)
        {
            RecordValue value = Find(path, out bool isThroughNull);
            if (!value.IsNothing && (value.Kind != ValueKind.Text || !value.Text.IsEmpty))
            {
                return value;
            }

            empty = empty.Kind == ValueKind.Missing ? value : empty;
            throughNull |= isThroughNull;
        }

        LedThroughNull |= throughNull && role is FieldRole.User or FieldRole.Item or FieldRole.Time;
        return empty;
    }

    private RecordValue Find(FieldPath path, out bool throughNull)
    {
        throughNull = false;
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
            case FieldSource.Timestamp:
                return default;
            default:
                return path.ListStep >= 0
                    ? PathWalk.From(_element, path.Steps, path.ListStep + 1, out throughNull)
                    : PathWalk.From(_record, _inner, path.Steps, out throughNull);
        }
    }

    private void EnterNames()
    {
        if (_map is not null)
        {
            return;
        }

        Array.Clear(_known);
        Array.Fill(_ranks, int.MaxValue);
        for (RecordValue child = _inner.First; child.Kind != ValueKind.Missing; child = child.Next)
        {
            if (
                child.Kind is not (ValueKind.Fields or ValueKind.List)
                && KnownNames.TryFind(child.Name, out FieldRole role, out int rank)
                && rank < _ranks[(int)role]
            )
            {
                _known[(int)role] = child;
                _ranks[(int)role] = rank;
            }
        }

        if (KnownNames.IsReviewed(_known[(int)FieldRole.Item].Name))
        {
            _known[(int)FieldRole.Title] = default;
        }

        TakeFromEnvelope(FieldRole.Type, "type"u8);
        TakeFromEnvelope(FieldRole.Time, "time"u8);
        TakeFromEnvelope(FieldRole.Id, "id"u8);
    }

    // CloudEvents has these next to the data.
    private void TakeFromEnvelope(FieldRole role, ReadOnlySpan<byte> name)
    {
        if (_known[(int)role].IsNothing && _record.Find("specversion"u8).Kind == ValueKind.Text)
        {
            _known[(int)role] = _record.Find(name);
        }
    }
}
