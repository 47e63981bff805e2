using Streaming.Core.Snapshots;

namespace Streaming.Core.Histories;

/// <content>Stored histories come back.</content>
public sealed partial class HistoryStore
{
    /// <summary>Restores one snapshot into this empty store. If its bounds are smaller than they were, it keeps the most recently
    /// active users and the newest items.</summary>
    /// <exception cref="InvalidDataException">A user occurs twice.</exception>
    internal void ReadFrom(StoredHistories stored)
    {
        Evictions = stored.Evictions;
        while (stored.MoveNext())
        {
            if (Find(stored.User, out int bucket) >= 0)
            {
                throw new InvalidDataException($"The ingestion snapshot has user {stored.User:x16} twice.");
            }

            AddNewest(stored, bucket);
        }
    }

    /// <summary>Restores those users of several snapshots into this empty store whose partition mod <paramref name="size"/> is
    /// <paramref name="rank"/>, and all of unknown partition. The users become active in order of their newest events.</summary>
    /// <returns>The number of users read into the store, several copies of one counted apart, and how many of these are of unknown
    /// partition.</returns>
    internal (long Users, long Unknown) ReadFrom(IReadOnlyList<StoredHistories> snapshots, int rank, int size)
    {
        long users = 0,
            unknown = 0;
        foreach (
            StoredHistories next in InOrder.Of(snapshots, static snapshot => snapshot.MoveNext(), static snapshot => snapshot.Times[^1])
        )
        {
            bool isUnknown = next.Partition == UnknownPartition;
            if (isUnknown || next.Partition % size == rank)
            {
                users++;
                unknown += isUnknown ? 1 : 0;
                Merge(next);
            }
        }

        return (users, unknown);
    }

    /// <summary>Adds evictions of before.</summary>
    internal void AddEvictions(long evictions) => Evictions += evictions;

    /// <summary>Adds the current user of a snapshot as the most recently active one. Of a user that is known already, this keeps the
    /// union of both histories, and the partition of the newer one; a known partition before an unknown one.</summary>
    private void Merge(StoredHistories stored)
    {
        int slot = Find(stored.User, out int bucket);
        if (slot < 0)
        {
            AddNewest(stored, bucket);
            return;
        }

        Touch(slot);
        var place = Place.Unpack(_users.Read(slot)[PlaceWord]);
        ReadOnlySpan<long> block = _blocks[place.Class].Read(place.Block);
        ReadOnlySpan<long> times = block.Slice(_sizes[place.Class], place.Count);
        bool theirs = place.Partition == UnknownPartition || (stored.Partition != UnknownPartition && stored.Times[^1] > times[^1]);
        (long[] unionItems, long[] unionTimes) = HistoryUnion.Of(block[..place.Count], times, stored.Items, stored.Times);
        _blocks[place.Class].Free(place.Block);
        int kept = Math.Min(unionItems.Length, _length);
        place = Store(unionItems.AsSpan()[^kept..], unionTimes.AsSpan()[^kept..], theirs ? stored.Partition : place.Partition);
        _users.Write(slot)[PlaceWord] = place.Pack();
    }

    private void AddNewest(StoredHistories stored, int bucket)
    {
        int kept = Math.Min(stored.Items.Length, _length);
        AddUser(stored.User, bucket, stored.Items[^kept..], stored.Times[^kept..], stored.Partition);
    }
}
