using Streaming.Formats.Catalogues;
using Streaming.Formats.Inputs;
using Streaming.Formats.Mapping;
using Streaming.Models.Options;
using Streaming.Worker.Serve;

namespace Streaming.Lab.Backtest;

/// <summary>
/// The features of a backtest's items for each model: the groups of its settings, as a live model's, of the values that `streaming
/// encode` wrote or hashed from text. Without such groups, <see cref="ItemFeatureFiles"/> fits features on the whole catalogue, which no
/// stream can.
/// </summary>
/// <param name="paths">Item files.</param>
/// <param name="items">Item ids, in row order.</param>
/// <param name="length">Length of a fitted group.</param>
/// <param name="tell">Receives a line on what is used and what is not.</param>
/// <param name="map">What the files call their fields; null: as they are known without.</param>
internal sealed class FeatureSource(
    IReadOnlyList<string> paths,
    IReadOnlyList<string> items,
    int length,
    Action<string> tell,
    ItemMap? map = null
)
{
    private readonly HashSet<string> _told = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ItemFeatures> _recorded = new(StringComparer.Ordinal);
    private readonly Lazy<bool> _hasValues = new(() => paths.Any(static path => !CatalogueFile.IsDelimited(path)));
    private ItemCatalogue? _catalogue;
    private ItemFeatures? _fitted;

    private ItemCatalogue Catalogue => _catalogue ??= ItemCatalogue.ReadAll(paths, TellOnce, withFeatures: true, map);

    /// <summary>The hashed groups of a model.</summary>
    public static IReadOnlyList<FeatureGroup> HashedOf(ModelOptions model) =>
        [.. model.FeatureGroups.Where(static group => group.IsHashed)];

    /// <summary>The features for a model.</summary>
    /// <exception cref="InputFileException">A file cannot be read, has none of the items or of the fields, or a group of another
    /// length.</exception>
    public ItemFeatures Of(ModelOptions model)
    {
        FeatureGroup[] groups = [.. model.FeatureGroups.Where(IsGiven)];
        foreach (FeatureGroup group in model.FeatureGroups.Except(groups))
        {
            TellOnce(
                $"feature group {group} is not used: "
                    + (
                        paths.Count == 0 ? "there are no item files (--items)"
                        : _hasValues.Value ? $"--items has no values of it, but of {Given()}"
                        : "--items has text, not its values; allowed: name:length=field+…"
                    )
            );
        }

        if (groups.Length > 0)
        {
            string key = string.Join(',', groups.AsEnumerable());
            return _recorded.TryGetValue(key, out ItemFeatures? known) ? known : _recorded[key] = Recorded(groups);
        }

        if (_hasValues.Value)
        {
            TellOnce($"a model without STREAMING__Model__FeatureGroups uses no features of --items, which has {Given()}");
            return ItemFeatureFiles.Read([], items, length);
        }

        if (paths.Count > 0)
        {
            TellOnce(
                "features of --items are fitted on the whole catalogue (latent semantic analysis), which a stream cannot have; "
                    + "STREAMING__Model__FeatureGroups=text:256=title+brand[] hashes fields as `run` does"
            );
        }

        if (map is not null)
        {
            throw new InputFileException(
                "--item-columns: features that are fitted on a file take every column of it, the first as the item; name the columns to "
                    + "use in STREAMING__Model__FeatureGroups, such as text:256=title."
            );
        }

        return _fitted ??= ItemFeatureFiles.Read(paths, items, length, tell);
    }

    private bool IsGiven(FeatureGroup group)
    {
        if (group.IsHashed || !_hasValues.Value || !Catalogue.Groups.TryGetValue(group.Name, out int given))
        {
            return group.IsHashed && paths.Count > 0;
        }

        return given == group.Length
            ? true
            : throw new InputFileException(
                $"{string.Join(", ", paths)}: feature group {group.Name} has {given} numbers; STREAMING__Model__FeatureGroups says {group}."
            );
    }

    private string Given() =>
        Catalogue.Groups.Count == 0
            ? "no feature group"
            : string.Join(',', Catalogue.Groups.Select(static group => $"{group.Key}:{group.Value}"));

    private ItemFeatures Recorded(IReadOnlyList<FeatureGroup> groups)
    {
        if (!items.Any(item => Catalogue.Find(item) is not null))
        {
            throw new InputFileException($"{string.Join(", ", paths)}: none of its items is in the interactions.");
        }

        foreach (TextField field in groups.SelectMany(static group => group.Fields).Where(field => !Catalogue.Fields.Contains(field.Name)))
        {
            throw new InputFileException(
                $"{string.Join(", ", paths)}: there is no column {field.Name}, which STREAMING__Model__FeatureGroups names; there are "
                    + $"{string.Join(", ", Catalogue.Fields)}."
            );
        }

        TellOnce(RecordedFeatures.Describe(Catalogue, groups, items));
        return RecordedFeatures.Of(Catalogue, groups, items);
    }

    private void TellOnce(string line)
    {
        if (_told.Add(line))
        {
            tell(line);
        }
    }
}
