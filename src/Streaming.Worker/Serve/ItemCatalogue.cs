using Streaming.Core.Items;
using Streaming.Formats.Catalogues;
using Streaming.Formats.Inputs;
using Streaming.Formats.Mapping;

namespace Streaming.Worker.Serve;

/// <summary>Item metadata from files, in memory: texts, and feature groups as `streaming encode` writes them.</summary>
public sealed class ItemCatalogue
{
    private static readonly ItemLimits Limits = new();
    private static readonly IReadOnlyDictionary<string, float[]> NoFeatures = new Dictionary<string, float[]>(StringComparer.Ordinal);
    private readonly Dictionary<string, Dictionary<string, string>> _items = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Dictionary<string, float[]>> _features = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _attributes = new(StringComparer.Ordinal);
    private readonly SortedSet<string> _fields = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, int> _groups = new(StringComparer.Ordinal);

    /// <summary>Gets the number of items.</summary>
    public int Count => _items.Count;

    /// <summary>Gets the names of the text fields that any item has.</summary>
    public IReadOnlyCollection<string> Fields => _fields;

    /// <summary>Gets the feature groups that any item has, and their lengths.</summary>
    public IReadOnlyDictionary<string, int> Groups => _groups;

    /// <summary>Reads item files; what is known of an item in several of them adds up, the later file's where both have a field.</summary>
    /// <param name="paths">Files of any format that <see cref="CatalogueFile"/> reads.</param>
    /// <param name="tell">Receives a line for each field that is not used.</param>
    /// <param name="withFeatures">Whether to keep feature groups, which take 4 bytes a number.</param>
    /// <param name="map">What the files call their fields; null: as <see cref="CatalogueFile"/> knows them.</param>
    /// <exception cref="InputFileException">A file is missing, its header is invalid, or a row is unreadable; the message names
    /// it.</exception>
    public static ItemCatalogue ReadAll(
        IEnumerable<string> paths,
        Action<string>? tell = null,
        bool withFeatures = false,
        ItemMap? map = null
    )
    {
        ArgumentNullException.ThrowIfNull(paths);
        var catalogue = new ItemCatalogue();
        foreach (string path in paths)
        {
            // The last of an item's rows counts: catalogues are often appended snapshots.
            var read = new Dictionary<string, CatalogueItem>(StringComparer.Ordinal);
            foreach (CatalogueItem item in CatalogueFile.Read(path, tell ?? (static _ => { }), map))
            {
                read[item.Id] = item;
            }

            foreach (CatalogueItem item in read.Values)
            {
                catalogue.Add(path, item, withFeatures);
            }
        }

        return catalogue;
    }

    /// <summary>The text fields of an item, or null.</summary>
    public IReadOnlyDictionary<string, string>? Find(string item) => _items.GetValueOrDefault(item);

    /// <summary>The feature groups of an item; empty if it has none.</summary>
    public IReadOnlyDictionary<string, float[]> FeaturesOf(string item) => _features.GetValueOrDefault(item) ?? NoFeatures;

    /// <summary>The attributes of an item, a JSON object, or null.</summary>
    public string? AttributesOf(string item) => _attributes.GetValueOrDefault(item);

    private void Add(string path, CatalogueItem item, bool withFeatures)
    {
        Dictionary<string, string> text = Merge(_items, item.Id, item.Text);
        if (text.Count > Limits.MaxTextFields)
        {
            throw new InputFileException(
                $"{path}: item '{item.Id}' has {text.Count} fields with those of the other files; allowed: {Limits.MaxTextFields}"
            );
        }

        _fields.UnionWith(item.Text.Keys);
        if (item.Attributes is not null)
        {
            _attributes[item.Id] = item.Attributes;
        }

        if (withFeatures && item.Features.Count > 0)
        {
            Merge(_features, item.Id, item.Features);
            foreach ((string name, float[] values) in item.Features)
            {
                AddGroup(path, item, name, values.Length);
            }
        }
    }

    // A model needs one length; that two models wrote one file shows here.
    private void AddGroup(string path, CatalogueItem item, string name, int length)
    {
        if (_groups.TryGetValue(name, out int known) && known != length)
        {
            throw new InputFileException(
                $"{path}, {item.Position}: feature group '{name}' of item '{item.Id}' has {length} numbers, of earlier items {known}; "
                    + "allowed: the same number for all items"
            );
        }

        _groups[name] = length;
    }

    private static Dictionary<string, T> Merge<T>(
        Dictionary<string, Dictionary<string, T>> items,
        string item,
        IReadOnlyDictionary<string, T> added
    )
    {
        if (!items.TryGetValue(item, out Dictionary<string, T>? known))
        {
            return items[item] = new Dictionary<string, T>(added, StringComparer.Ordinal);
        }

        foreach ((string name, T value) in added)
        {
            known[name] = value;
        }

        return known;
    }
}
