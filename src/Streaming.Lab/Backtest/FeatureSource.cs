using Streaming.Formats.Inputs;
using Streaming.Models.Options;
using Streaming.Worker.Serve;

namespace Streaming.Lab.Backtest;

/// <summary>
/// The features of a backtest's items for each model: those that the model's settings hash from text, as a live model's; without such
/// settings, <see cref="ItemFeatureFiles"/> fits them on the whole catalogue, which no stream can.
/// </summary>
/// <param name="paths">Item files.</param>
/// <param name="items">Item ids, in row order.</param>
/// <param name="length">Length of a fitted group.</param>
/// <param name="tell">Receives a line on what is used and what is not.</param>
internal sealed class FeatureSource(IReadOnlyList<string> paths, IReadOnlyList<string> items, int length, Action<string> tell)
{
    private readonly HashSet<string> _told = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ItemFeatures> _hashed = new(StringComparer.Ordinal);
    private ItemCatalogue? _catalogue;
    private ItemFeatures? _fitted;

    /// <summary>The hashed groups of a model: item files have no others.</summary>
    public static IReadOnlyList<FeatureGroup> HashedOf(ModelOptions model) =>
        [.. model.FeatureGroups.Where(static group => group.IsHashed)];

    /// <summary>The features for a model.</summary>
    /// <exception cref="InputFileException">A file cannot be read, or has none of the items or of the fields.</exception>
    public ItemFeatures Of(ModelOptions model)
    {
        IReadOnlyList<FeatureGroup> groups = HashedOf(model);
        foreach (FeatureGroup group in model.FeatureGroups.Where(group => !group.IsHashed || paths.Count == 0))
        {
            TellOnce(
                $"feature group {group} is not used: "
                    + (
                        paths.Count == 0
                            ? "there are no item files (--items)"
                            : "--items has text, not its values; allowed: name:length=field+…"
                    )
            );
        }

        if (paths.Count > 0 && groups.Count > 0)
        {
            string key = string.Join(',', groups);
            return _hashed.TryGetValue(key, out ItemFeatures? known) ? known : _hashed[key] = Hashed(groups);
        }

        if (paths.Count > 0)
        {
            TellOnce(
                "features of --items are fitted on the whole catalogue (latent semantic analysis), which a stream cannot have; "
                    + "STREAMING__Model__FeatureGroups=text:256=title+brand[] hashes fields as `run` does"
            );
        }

        return _fitted ??= ItemFeatureFiles.Read(paths, items, length, tell);
    }

    private ItemFeatures Hashed(IReadOnlyList<FeatureGroup> groups)
    {
        _catalogue ??= ItemCatalogue.ReadAll(paths);
        if (!items.Any(item => _catalogue.Find(item) is not null))
        {
            throw new InputFileException(
                $"{string.Join(", ", paths)}: none of its items is in the interactions; the first column must be the item id."
            );
        }

        foreach (TextField field in groups.SelectMany(static group => group.Fields).Where(field => !_catalogue.Fields.Contains(field.Name)))
        {
            throw new InputFileException(
                $"{string.Join(", ", paths)}: there is no column {field.Name}, which STREAMING__Model__FeatureGroups names; there are "
                    + $"{string.Join(", ", _catalogue.Fields)}."
            );
        }

        TellOnce(HashedItems.Describe(_catalogue, groups, items));
        return HashedItems.Of(_catalogue, groups, items);
    }

    private void TellOnce(string line)
    {
        if (_told.Add(line))
        {
            tell(line);
        }
    }
}
