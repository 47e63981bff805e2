using System.Globalization;
using Streaming.Learning.Items;
using Streaming.Models.Options;

namespace Streaming.Worker.Stages;

/// <summary>Detects a catalogue that does not fit the item table, or of which no record can be used. One caller at a time.</summary>
/// <param name="capacity">Rows of the table.</param>
/// <param name="time">Clock.</param>
internal sealed class CatalogueCheck(int capacity, TimeProvider time)
{
    private readonly RecentGrowth _evicted = new(TimeSpan.FromMinutes(10), time);

    /// <summary>Updates the counters.</summary>
    /// <param name="items">Counters of the item table.</param>
    /// <param name="rejected">Records of the items topic that could not be decoded since the start.</param>
    /// <param name="missing">How many of the applied records lacked each feature group.</param>
    /// <returns>The problem; empty: none.</returns>
    public string Update(in ItemTableCounters items, long rejected, IReadOnlyList<MissingFeatures> missing)
    {
        if (_evicted.Update(items.EvictedByCapacity))
        {
            return string.Create(
                CultureInfo.InvariantCulture,
                $"larger than STREAMING__Model__ItemCapacity ({capacity} items): {items.EvictedByCapacity} items evicted to make room "
                    + $"for others since the model began"
            );
        }

        long refused = rejected + items.RecordsRejected;
        return items.RecordsApplied == 0 && refused > 0
            ? FormattableString.Invariant($"none of its {refused} records could be used; see the log and the dead letters")
            : Missing(items.RecordsApplied, missing);
    }

    private static string Missing(long records, IReadOnlyList<MissingFeatures> missing)
    {
        FeatureGroup[] groups = [.. missing.Where(group => records > 0 && group.Records == records).Select(static group => group.Group)];
        return groups.Length == 0
            ? string.Empty
            : string.Create(
                CultureInfo.InvariantCulture,
                $"none of its {records} records has {string.Join(" or ", groups.Select(Need))}, which "
                    + $"STREAMING__Model__FeatureGroups declares"
            );
    }

    private static string Need(FeatureGroup group) =>
        group.IsHashed
            ? $"text for feature group '{group.Name}' ({string.Join(", ", group.Fields.Select(static field => field.Name))})"
            : $"feature group '{group.Name}'";
}
