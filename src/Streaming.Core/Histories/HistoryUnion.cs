namespace Streaming.Core.Histories;

/// <summary>Joins two histories of one user.</summary>
internal static class HistoryUnion
{
    /// <summary>All entries of both in order of time. An entry (item, time) that both have occurs once; of those of equal time, the
    /// first history's come first.</summary>
    /// <param name="items">Items of the first, oldest first.</param>
    /// <param name="times">Their times, ascending.</param>
    /// <param name="otherItems">Items of the other, oldest first.</param>
    /// <param name="otherTimes">Their times, ascending.</param>
    public static (long[] Items, long[] Times) Of(
        ReadOnlySpan<long> items,
        ReadOnlySpan<long> times,
        ReadOnlySpan<long> otherItems,
        ReadOnlySpan<long> otherTimes
    )
    {
        var union = new List<(long Item, long Time)>(items.Length + otherItems.Length);
        var unmatched = new List<long>();
        int at = 0,
            other = 0;
        while (at < items.Length || other < otherItems.Length)
        {
            long time = Math.Min(TimeAt(times, at), TimeAt(otherTimes, other));
            unmatched.Clear();
            for (; at < items.Length && times[at] == time; at++)
            {
                union.Add((items[at], time));
                unmatched.Add(items[at]);
            }

            for (; other < otherItems.Length && otherTimes[other] == time; other++)
            {
                if (!unmatched.Remove(otherItems[other]))
                {
                    union.Add((otherItems[other], time));
                }
            }
        }

        return ([.. union.Select(static entry => entry.Item)], [.. union.Select(static entry => entry.Time)]);
    }

    private static long TimeAt(ReadOnlySpan<long> times, int at) => at < times.Length ? times[at] : long.MaxValue;
}
