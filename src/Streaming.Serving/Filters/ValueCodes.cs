using System.Collections.Concurrent;

namespace Streaming.Serving.Filters;

/// <summary>The texts of an attribute as numbers from 1; 0 means none. One writer, any readers. A text keeps its number until the next
/// load of the index, also when no item has it any more.</summary>
internal sealed class ValueCodes
{
    private readonly ConcurrentDictionary<string, int> _codes = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _lookup;
    private volatile string[] _texts = new string[16];
    private int _count;

    public ValueCodes() => _lookup = _codes.GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>Gets the number of texts.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>The number of a text; 0 when no item ever had it.</summary>
    public int Find(string text) => _codes.GetValueOrDefault(text);

    /// <summary>The text of a number.</summary>
    public string TextOf(int code) => _texts[code - 1];

    /// <summary>The number of a text, a new one if need be. Writer only.</summary>
    public int Add(ReadOnlySpan<char> text)
    {
        if (_lookup.TryGetValue(text, out int code))
        {
            return code;
        }

        if (_count == _texts.Length)
        {
            string[] grown = new string[2 * _count];
            _texts.CopyTo(grown, 0);
            _texts = grown;
        }

        string copy = text.ToString();
        _texts[_count] = copy;
        Volatile.Write(ref _count, _count + 1);
        _codes[copy] = _count;
        return _count;
    }
}
