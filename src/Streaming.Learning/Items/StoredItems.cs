using Streaming.Core.Embeddings;
using Streaming.Models.State;

namespace Streaming.Learning.Items;

/// <summary>The items of a saved <see cref="ItemTable"/>, read without a table.</summary>
internal static class StoredItems
{
    /// <summary>Reads the items of a stored table of any size, in the order of its rows in use.</summary>
    /// <exception cref="StateMismatchException">The state is damaged.</exception>
    public static KnownItem[] Read(TensorReader tensors)
    {
        int[] order = tensors.ReadArray<int>("items.order", Array.MaxLength);
        ulong[] keys = tensors.ReadArray<ulong>("items.keys", Array.MaxLength);
        string?[] ids = tensors.ReadStrings("items.ids", keys.Length, ItemTable.MaxIdBytes);
        byte[] heat = tensors.ReadArray<byte>("items.heat", keys.Length);
        bool[] hasRecord = tensors.ReadArray<bool>("items.has_record", keys.Length);
        long[] events = tensors.ReadArray<long>("items.events", keys.Length);
        long[] newest = tensors.ReadArray<long>("items.newest_event", keys.Length);
        long[] since = [];
        string?[] attributes = [];
        if (tensors.Has("items.since")) // older states lack facts
        {
            since = tensors.ReadArray<long>("items.since", keys.Length);
            attributes = tensors.ReadStrings("items.attributes", keys.Length, ItemFactsValue.MaxAttributeBytes);
        }

        double[] popularity = tensors.Has("items.popularity") // older states lack it
            ? tensors.ReadArray<double>("items.popularity", keys.Length)
            : [];
        long[] seen = tensors.ReadArray<long>("items.last_seen", keys.Length);
        int count = tensors.ReadValue<int>("items.count");
        int least = new[] { ids.Length, heat.Length, hasRecord.Length, events.Length, newest.Length, seen.Length }.Min();
        if (count < 0 || count > order.Length || order.AsSpan(0, Math.Max(count, 0)).ContainsAnyExceptInRange(0, least - 1))
        {
            throw new StateMismatchException(
                $"The item table's state has {count} items in {order.Length} positions for {least} rows: it is damaged."
            );
        }

        return
        [
            .. order
                .Take(count)
                .Select(row => new KnownItem(
                    keys[row],
                    ids[row] ?? throw new StateMismatchException($"The item table's state has no id for row {row}."),
                    row
                )
                {
                    HasRecord = hasRecord[row],
                    Heat = heat[row],
                    Events = events[row],
                    NewestEvent = newest[row],
                    LastSeen = seen[row],
                    Since = since.ElementAtOrDefault(row),
                    Popularity = popularity.ElementAtOrDefault(row),
                    Attributes = attributes.ElementAtOrDefault(row),
                }),
        ];
    }
}
