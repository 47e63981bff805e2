using System.Globalization;
using Streaming.Models.Options;

namespace Streaming.Learning.Training;

/// <summary>The settings that determine the shape of a trainer's state, in which a checkpoint and the settings must match.</summary>
internal static class TrainerShape
{
    public static IReadOnlyDictionary<string, string> Of(ModelOptions model, TrainerOptions options)
    {
        var shape = new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            ["Model.Widths"] = string.Join(',', model.Widths),
            ["Model.Tower"] = model.Tower.ToString(),
            ["Model.Layers"] = Text(model.Layers),
            ["Model.HistoryLength"] = Text(model.HistoryLength),
            ["Model.Interests"] = Text(model.Interests),
            ["Model.ItemIds"] = model.ItemIds ? "true" : "false",
            ["Model.FeatureGroups"] = string.Join(',', model.FeatureGroups.Select(static group => group.Describe())),
            ["Model.ItemCapacity"] = Text(model.ItemCapacity),
            ["Model.BankCapacity"] = Text(model.BankCapacity),
            ["Items.FallbackRows"] = Text(options.Items.FallbackRowsFor(model.ItemCapacity)),
            ["Frequency.Tables"] = Text(options.Frequency.Tables),
            ["Frequency.Slots"] = Text(options.Frequency.SlotsFor(model.ItemCapacity)),
            ["Replay.Capacity"] = Text(options.Replay.Ratio > 0 ? options.Replay.Capacity : 0),
        };
        if (model.DistinctBank)
        {
            // Only then: checkpoints from before this setting do not name it.
            shape["Model.DistinctBank"] = "true";
        }

        return shape;
    }

    private static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);
}
