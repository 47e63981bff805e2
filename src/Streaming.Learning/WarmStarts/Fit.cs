using System.Globalization;
using Streaming.Models.Options;

namespace Streaming.Learning.WarmStarts;

/// <summary>Which parts of another model's state a model can use.</summary>
internal sealed class Fit
{
    private readonly ModelOptions _old;
    private readonly ModelOptions _new;

    public Fit(ModelOptions old, ModelOptions @new)
    {
        _old = old;
        _new = @new;
        int common = old.Widths.Zip(@new.Widths).TakeWhile(static pair => pair.First == pair.Second).Count();
        bool nested = common == Math.Min(old.Widths.Count, @new.Widths.Count);
        Differences = [.. Compare()];
        Whole = Differences.Count == 0;
        Tower = nested && Equal(Differences, "Model.Widths");
        Projection = nested && Groups.Any(static group => group.OldStart >= 0);
        Embeddings = old.ItemIds && @new.ItemIds;
    }

    /// <summary>Gets the differences in everything that determines the meaning of values: "name is X, the other has Y".</summary>
    public IReadOnlyList<string> Differences { get; }

    /// <summary>Gets a value indicating whether there are none: optimiser state and bank fit too.</summary>
    public bool Whole { get; }

    /// <summary>Gets a value indicating whether the user tower's values fit. One model's widths may be a prefix of the other's: nested
    /// weights grow and shrink by slices, and the output of the common widths is unchanged.</summary>
    public bool Tower { get; }

    /// <summary>Gets a value indicating whether the item projection of some feature group fits.</summary>
    public bool Projection { get; }

    /// <summary>Gets a value indicating whether id embeddings fit, up to the smaller width.</summary>
    public bool Embeddings { get; }

    /// <summary>Gets the number of columns that both have.</summary>
    public int Columns => Math.Min(_old.Dimension, _new.Dimension);

    /// <summary>Gets each feature group of the new model with its start in the new and in the old features, −1 if it is new.</summary>
    public IEnumerable<(int NewStart, int OldStart, int Length)> Groups
    {
        get
        {
            int start = 0;
            foreach (FeatureGroup group in _new.FeatureGroups)
            {
                int before = _old.FeatureGroups.TakeWhile(other => other != group).Sum(static other => other.Length);
                yield return (start, _old.FeatureGroups.Contains(group) ? before : -1, group.Length);
                start += group.Length;
            }
        }
    }

    // Except widths and features: those may differ and the tower still fit.
    private static bool Equal(IEnumerable<string> differences, string aside) =>
        differences.All(text =>
            text.StartsWith(aside, StringComparison.Ordinal)
            || text.StartsWith("Model.FeatureGroups", StringComparison.Ordinal)
            || text.StartsWith("Model.ItemIds", StringComparison.Ordinal)
        );

    private IEnumerable<string> Compare()
    {
        (string Name, string New, string Old)[] facts =
        [
            ("Model.Widths", string.Join(',', _new.Widths), string.Join(',', _old.Widths)),
            ("Model.Tower", _new.Tower.ToString(), _old.Tower.ToString()),
            ("Model.FeatureGroups", Text(_new.FeatureGroups), Text(_old.FeatureGroups)),
            ("Model.ItemIds", _new.ItemIds.ToString(), _old.ItemIds.ToString()),
            ("Model.Cosine", _new.Cosine.ToString(), _old.Cosine.ToString()),
            .. TowerFacts(),
        ];
        return facts
            .Where(static fact => fact.New != fact.Old)
            .Select(static fact => $"{fact.Name} is {fact.New}, the other has {fact.Old}");
    }

    private IEnumerable<(string Name, string New, string Old)> TowerFacts() =>
        _new.Tower switch
        {
            TowerKind.FmrlRec =>
            [
                ("Model.Layers", Text(_new.Layers), Text(_old.Layers)),
                ("Model.Norm", _new.Norm.ToString(), _old.Norm.ToString()),
                ("Model.InputNorm", _new.InputNorm.ToString(), _old.InputNorm.ToString()),
                ("Model.OutputNorm", _new.OutputNorm.ToString(), _old.OutputNorm.ToString()),
                ("Model.OutputLinear", _new.OutputLinear.ToString(), _old.OutputLinear.ToString()),
            ],
            TowerKind.Mind =>
            [
                ("Model.Interests", Text(_new.Interests), Text(_old.Interests)),
                ("Model.HistoryLength", Text(_new.HistoryLength), Text(_old.HistoryLength)),
            ],
            _ => [],
        };

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Text(IReadOnlyList<FeatureGroup> groups) =>
        groups.Count == 0 ? "(none)" : string.Join(',', groups.Select(static group => group.Describe()));
}
