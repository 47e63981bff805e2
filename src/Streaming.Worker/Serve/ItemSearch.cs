namespace Streaming.Worker.Serve;

/// <summary>Finds items by words of their title or id: the best matches first, a bounded number of each quality.</summary>
internal sealed class ItemSearch
{
    private readonly string _text;
    private readonly string[] _words;
    private readonly int _count;
    private readonly List<NamedItem>[] _matches =
    [
        [],
        [],
        [],
    ];

    /// <summary>Creates a search without items.</summary>
    /// <param name="text">Words, all of which an item's title or id must contain, whatever their case.</param>
    /// <param name="count">The most items to find.</param>
    public ItemSearch(string text, int count)
    {
        _text = text.Trim();
        _words = _text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        _count = count;
    }

    /// <summary>Gets the matches: those whose title or id is the text, then those that begin with it, then the others.</summary>
    public IEnumerable<NamedItem> Found => _matches.SelectMany(static matches => matches).Take(_count);

    /// <summary>Offers an item.</summary>
    public void Offer(string id, string? title)
    {
        foreach (string word in _words)
        {
            if (!Contains(id, word) && !Contains(title, word))
            {
                return;
            }
        }

        List<NamedItem> matches = _matches[Distance(id, title)];
        if (matches.Count < _count)
        {
            matches.Add(new NamedItem(id, title));
        }
    }

    private int Distance(string id, string? title) =>
        IsText(id) || IsText(title) ? 0
        : Begins(id) || Begins(title) ? 1
        : 2;

    private bool IsText(string? text) => string.Equals(text, _text, StringComparison.OrdinalIgnoreCase);

    private bool Begins(string? text) => text?.StartsWith(_text, StringComparison.OrdinalIgnoreCase) == true;

    private static bool Contains(string? text, string word) => text?.Contains(word, StringComparison.OrdinalIgnoreCase) == true;
}
