using Streaming.Core.Paging;
using Streaming.Core.Snapshots;

namespace Streaming.Core.Histories;

/// <summary>The histories at one point in time: shared pages, and the users from the least to the most recently active.</summary>
internal sealed class HistorySnapshot(
    PagedSlab.View users,
    PagedSlab.View[] blocks,
    int[] sizes,
    int[] newer,
    int oldest,
    int userCount,
    long evictions,
    Action<int[]> giveBack
)
{
    private int _released;

    // Users in order of activity: a reader that restores them in this order gets the same order of eviction.
    public void WriteTo(CheckedWriter writer)
    {
        writer.WriteInt64(userCount);
        writer.WriteInt64(evictions);
        for (int slot = oldest; slot >= 0; slot = newer[slot])
        {
            ReadOnlySpan<long> record = users.Read(slot);
            var place = HistoryStore.Place.Unpack(record[1]);
            ReadOnlySpan<long> block = blocks[place.Class].Read(place.Block);
            writer.WriteInt64(record[0]);
            writer.WriteInt64(((long)place.Partition << StoredHistories.PartitionShift) | (uint)place.Count);
            for (int entry = 0; entry < place.Count; entry++)
            {
                writer.WriteInt64(block[entry]);
                writer.WriteInt64(block[sizes[place.Class] + entry]);
            }
        }
    }

    /// <summary>Releases the snapshot, once: its order buffer is reused by the next.</summary>
    public void Release()
    {
        if (Interlocked.Exchange(ref _released, 1) == 0)
        {
            giveBack(newer);
        }

        users.Release();
        foreach (PagedSlab.View view in blocks)
        {
            view.Release();
        }
    }
}
