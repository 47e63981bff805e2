namespace Streaming.Serving.Filters;

/// <summary>An order of items that does not depend on a query.</summary>
internal readonly struct ItemOrder
{
    private readonly long? _now;

    private ItemOrder(long? now) => _now = now;

    /// <summary>Gets the order by number of events, the most first.</summary>
    public static ItemOrder Popular => default;

    /// <summary>The order by when an item became known, the latest first.</summary>
    /// <param name="now">The present, Unix milliseconds: ages near 0 are exact in a float.</param>
    public static ItemOrder Latest(long now) => new(now);

    /// <summary>What items are ordered by, the greatest first; NaN leaves an item out: never seen, or of unknown age.</summary>
    public float Score(AttributeColumns columns, int row) =>
        _now is not { } now ? (columns.Events[row] > 0 ? columns.Events[row] : float.NaN)
        : columns.Since[row] > 0 ? (columns.Since[row] - now) / 1000f
        : float.NaN;
}
