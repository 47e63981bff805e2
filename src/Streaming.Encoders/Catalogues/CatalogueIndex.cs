using Streaming.Formats.Catalogues;
using Streaming.Formats.Inputs;
using Streaming.Formats.Mapping;

namespace Streaming.Encoders.Catalogues;

/// <summary>Which records of item files count: the last of each item. Records are read once more when they are needed, not kept.</summary>
internal sealed class CatalogueIndex
{
    private readonly IReadOnlyList<string> _paths;
    private readonly ItemMap? _map;
    private readonly Dictionary<string, long> _last = new(StringComparer.Ordinal);
    private readonly SortedSet<string> _fields = new(StringComparer.Ordinal);

    private CatalogueIndex(IReadOnlyList<string> paths, ItemMap? map) => (_paths, _map) = (paths, map);

    /// <summary>Gets the number of items.</summary>
    public int Count => _last.Count;

    /// <summary>Reads the files.</summary>
    /// <exception cref="InputFileException">A file cannot be read, or has no items.</exception>
    public static CatalogueIndex Read(IReadOnlyList<string> paths, ItemMap? map, Action<string> tell)
    {
        var index = new CatalogueIndex(paths, map);
        long number = 0;
        foreach (CatalogueItem item in paths.SelectMany(path => CatalogueFile.Read(path, tell, map)))
        {
            index._last[item.Id] = number++;
            index._fields.UnionWith(item.Text.Keys);
        }

        return number > 0 ? index : throw new InputFileException($"{string.Join(", ", paths)}: there are no items");
    }

    /// <summary>Whether the files have an item.</summary>
    public bool Contains(string item) => _last.ContainsKey(item);

    /// <exception cref="InputFileException">No item has any of these fields.</exception>
    public void Require(string option, params IReadOnlyList<string> fields)
    {
        if (!fields.Any(_fields.Contains))
        {
            throw new InputFileException(
                $"{string.Join(", ", _paths)}: no item has the field {string.Join(" or ", fields)} ({option}); there are "
                    + $"{(_fields.Count == 0 ? "none" : string.Join(", ", _fields))}"
            );
        }
    }

    /// <summary>The records that count, in the order of the files.</summary>
    /// <exception cref="InputFileException">A file changed meanwhile.</exception>
    public IEnumerable<CatalogueItem> Items()
    {
        long number = 0;
        foreach (CatalogueItem item in _paths.SelectMany(path => CatalogueFile.Read(path, static _ => { }, _map)))
        {
            if (!_last.TryGetValue(item.Id, out long last))
            {
                throw new InputFileException($"{string.Join(", ", _paths)}: changed while being read (item '{item.Id}' is new)");
            }

            if (last == number++)
            {
                yield return item;
            }
        }
    }
}
