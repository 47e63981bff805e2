namespace Streaming.Formats.Records;

/// <summary>A value in a <see cref="RecordTree"/>, valid until the tree is cleared.</summary>
public readonly struct RecordValue
{
    private readonly RecordTree? _tree;
    private readonly int _index;

    internal RecordValue(RecordTree tree, int index)
    {
        _tree = tree;
        _index = index;
    }

    /// <summary>Gets its kind.</summary>
    public ValueKind Kind => _tree is null ? ValueKind.Missing : _tree.At(_index).Kind;

    /// <summary>Gets a value indicating whether it is missing or null.</summary>
    public bool IsNothing => Kind is ValueKind.Missing or ValueKind.Null;

    /// <summary>Gets its name in the enclosing object, UTF-8; empty in a list.</summary>
    public ReadOnlySpan<byte> Name => _tree is null ? [] : _tree.TextOf(_tree.At(_index).Name);

    /// <summary>Gets a scalar's text, UTF-8; empty for others.</summary>
    public ReadOnlySpan<byte> Text => _tree is null ? [] : _tree.TextOf(_tree.At(_index).Text);

    /// <summary>Gets a time's milliseconds.</summary>
    public long Milliseconds => _tree is null ? 0 : _tree.At(_index).Number;

    /// <summary>Gets the first value of an object or a list, or a missing one.</summary>
    public RecordValue First => _tree is null ? default : Sibling(_tree.At(_index).FirstChild);

    /// <summary>Gets the next value in the same object or list, or a missing one.</summary>
    public RecordValue Next => _tree is null ? default : Sibling(_tree.At(_index).Next);

    /// <summary>The value of an object by exact name.</summary>
    public RecordValue Find(ReadOnlySpan<byte> name)
    {
        if (Kind == ValueKind.Fields)
        {
            for (RecordValue child = First; child.Kind != ValueKind.Missing; child = child.Next)
            {
                if (child.Name.SequenceEqual(name))
                {
                    return child;
                }
            }
        }

        return default;
    }

    /// <summary>The value of a list by index, from 0.</summary>
    public RecordValue At(int place)
    {
        RecordValue child = Kind == ValueKind.List ? First : default;
        for (; place > 0 && child.Kind != ValueKind.Missing; place--)
        {
            child = child.Next;
        }

        return child;
    }

    private RecordValue Sibling(int index) => index < 0 ? default : new RecordValue(_tree!, index);
}
