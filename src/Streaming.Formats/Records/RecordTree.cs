using System.Buffers.Text;
using System.Globalization;

namespace Streaming.Formats.Records;

/// <summary>
/// The values of one record in any format: objects, lists and scalars. A codec fills it, the mapping reads it, and the next record
/// reuses it, so that nothing is allocated once its buffers have grown.
/// </summary>
public sealed class RecordTree
{
    /// <summary>Maximum nesting of objects and lists.</summary>
    public const int MaxDepth = 64;

    private readonly int[] _open = new int[MaxDepth + 1];
    private readonly int[] _last = new int[MaxDepth + 1];
    private byte[] _text = new byte[1024];
    private Node[] _nodes = new Node[64];
    private int _textLength;
    private int _count;
    private int _depth;

    /// <summary>Gets the record's root value; missing before a codec has written one.</summary>
    public RecordValue Root => _count == 0 ? default : new RecordValue(this, 0);

    /// <summary>Clears the record.</summary>
    public void Clear()
    {
        _textLength = 0;
        _count = 0;
        _depth = -1;
        _last[0] = -1;
    }

    /// <summary>Opens an object; everything added until <see cref="End"/> is inside it.</summary>
    public void StartObject(TextRange name) => Open(name, ValueKind.Fields);

    /// <summary>Opens a list.</summary>
    public void StartList(TextRange name) => Open(name, ValueKind.List);

    /// <summary>Closes the innermost open object or list.</summary>
    public void End() => _depth--;

    /// <summary>Adds a scalar.</summary>
    public void Add(TextRange name, ValueKind kind, TextRange text) => AddNode(name, kind, text, 0);

    /// <summary>Adds a time.</summary>
    public void AddTime(TextRange name, long milliseconds, bool isLocal) =>
        AddNode(name, isLocal ? ValueKind.LocalTime : ValueKind.Time, default, milliseconds);

    /// <summary>Adds null.</summary>
    public void AddNull(TextRange name) => AddNode(name, ValueKind.Null, default, 0);

    /// <summary>Adds a whole number.</summary>
    public void AddNumber(TextRange name, long number)
    {
        Span<byte> text = stackalloc byte[20];
        Utf8Formatter.TryFormat(number, text, out int length);
        Add(name, ValueKind.Number, Append(text[..length]));
    }

    /// <summary>Adds a number; a non-finite one becomes null.</summary>
    public void AddNumber(TextRange name, double number)
    {
        if (!double.IsFinite(number))
        {
            AddNull(name);
            return;
        }

        // Ids often arrive as doubles (an integer column with gaps): keep all their digits.
        Span<byte> text = stackalloc byte[340];
        number.TryFormat(
            text,
            out int length,
            Math.Abs(number) < 1e18 && Math.Floor(number) == number ? "F0" : "R",
            CultureInfo.InvariantCulture
        );
        Add(name, ValueKind.Number, Append(text[..length]));
    }

    /// <summary>Adds a boolean.</summary>
    public void AddBoolean(TextRange name, bool value) => Add(name, ValueKind.Boolean, Append(value ? "true"u8 : "false"u8));

    /// <summary>Adds text given as UTF-16.</summary>
    public void AddText(TextRange name, ReadOnlySpan<char> text) => Add(name, ValueKind.Text, Append(text));

    /// <summary>Stores bytes for a name or a text.</summary>
    public TextRange Append(ReadOnlySpan<byte> bytes)
    {
        Reserve(bytes.Length);
        bytes.CopyTo(_text.AsSpan(_textLength));
        return Take(bytes.Length);
    }

    /// <summary>Stores text given as UTF-16 for a name or a text.</summary>
    public TextRange Append(ReadOnlySpan<char> text)
    {
        Reserve(System.Text.Encoding.UTF8.GetMaxByteCount(text.Length));
        return Take(System.Text.Encoding.UTF8.GetBytes(text, _text.AsSpan(_textLength)));
    }

    /// <summary>Reserves a buffer for a text of at most this many bytes, to be completed by <see cref="Take"/>.</summary>
    public Span<byte> Reserve(int bytes)
    {
        if (_text.Length - _textLength < bytes)
        {
            Array.Resize(ref _text, Math.Max(_text.Length * 2, checked(_textLength + bytes)));
        }

        return _text.AsSpan(_textLength);
    }

    /// <summary>Takes the first bytes of the last reserved buffer.</summary>
    public TextRange Take(int bytes)
    {
        _textLength += bytes;
        return new TextRange(_textLength - bytes, bytes);
    }

    /// <summary>Adds a text to a record that is an object and has been closed.</summary>
    public void AddToRoot(TextRange name, TextRange text)
    {
        if (Root.Kind == ValueKind.Fields)
        {
            _depth = 0;
            AddNode(name, ValueKind.Text, text, 0);
            _depth = -1;
        }
    }

    /// <summary>Adds a value outside the record's tree, such as a constant or a header.</summary>
    public RecordValue Detached(ValueKind kind, ReadOnlySpan<byte> text) => new(this, NewNode(default, kind, Append(text), 0));

    /// <summary>Adds a text outside the record's tree that has already been taken.</summary>
    public RecordValue Detached(TextRange text) => new(this, NewNode(default, ValueKind.Text, text, 0));

    internal ref readonly Node At(int index) => ref _nodes[index];

    internal ReadOnlySpan<byte> TextOf(TextRange range) => _text.AsSpan(range.Start, range.Length);

    private void Open(TextRange name, ValueKind kind)
    {
        int index = AddNode(name, kind, default, 0);
        if (++_depth > MaxDepth - 1)
        {
            throw new InvalidDataException($"The record is nested deeper than {MaxDepth} levels.");
        }

        _open[_depth] = index;
        _last[_depth + 1] = -1;
    }

    private int AddNode(TextRange name, ValueKind kind, TextRange text, long number)
    {
        int index = NewNode(name, kind, text, number);
        ref int last = ref _last[_depth + 1];
        if (last >= 0)
        {
            _nodes[last].Next = index;
        }
        else if (_depth >= 0)
        {
            _nodes[_open[_depth]].FirstChild = index;
        }

        last = index;
        return index;
    }

    private int NewNode(TextRange name, ValueKind kind, TextRange text, long number)
    {
        if (_count == _nodes.Length)
        {
            Array.Resize(ref _nodes, _count * 2);
        }

        _nodes[_count] = new Node
        {
            Kind = kind,
            Name = name,
            Text = text,
            Number = number,
            Next = -1,
            FirstChild = -1,
        };
        return _count++;
    }

    internal struct Node
    {
        public ValueKind Kind;
        public TextRange Name;
        public TextRange Text;
        public long Number;
        public int Next;
        public int FirstChild;
    }
}
