namespace Streaming.Formats.Files;

/// <summary>Strings by number, each stored once.</summary>
public sealed class StringTable
{
    private readonly Dictionary<string, int> _numbers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _lookup;
    private readonly List<string> _strings = [];

    /// <summary>Creates an empty table.</summary>
    public StringTable() => _lookup = _numbers.GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>Gets the number of strings.</summary>
    public int Count => _strings.Count;

    /// <summary>Gets the string of a number.</summary>
    public string this[int number] => _strings[number];

    /// <summary>The number of a string; a new string gets the next one.</summary>
    public int Intern(ReadOnlySpan<char> value)
    {
        if (!_lookup.TryGetValue(value, out int number))
        {
            number = _strings.Count;
            string text = value.ToString();
            _strings.Add(text);
            _numbers.Add(text, number);
        }

        return number;
    }

    /// <summary>The number of a string that is in the table.</summary>
    public bool TryFind(string value, out int number) => _numbers.TryGetValue(value, out number);
}
