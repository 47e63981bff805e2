using System.Globalization;
using Streaming.Learning.Items;

namespace Streaming.Worker.Stages;

/// <summary>Says when the catalogue does not fit the item table, or none of it can be used. One caller at a time.</summary>
/// <param name="capacity">Rows of the table.</param>
/// <param name="time">Clock.</param>
internal sealed class CatalogueCheck(int capacity, TimeProvider time)
{
    private readonly RecentGrowth _evicted = new(TimeSpan.FromMinutes(10), time);

    /// <summary>Takes the counters in.</summary>
    /// <param name="items">What happened to items.</param>
    /// <param name="rejected">Records of the items topic that could not be decoded since the start.</param>
    /// <returns>What is wrong; empty: nothing.</returns>
    public string Update(in ItemTableCounters items, long rejected)
    {
        if (_evicted.Update(items.EvictedByCapacity))
        {
            return string.Create(
                CultureInfo.InvariantCulture,
                $"it does not fit STREAMING__Model__ItemCapacity ({capacity} items): {items.EvictedByCapacity} items had to make room "
                    + $"for others so far"
            );
        }

        long refused = rejected + items.RecordsRejected;
        return items.RecordsApplied == 0 && refused > 0
            ? FormattableString.Invariant($"none of its {refused} records could be used; the log and the dead letters say why")
            : string.Empty;
    }
}
