namespace Streaming.Core.Histories;

/// <summary>Recent items of several users, on their way to the serving tier. The arrays are reused.</summary>
public sealed class UserHistoryBatch
{
    /// <summary>Creates an empty batch.</summary>
    /// <param name="users">The maximum number of users, 1 and up.</param>
    /// <param name="itemsPerUser">The maximum number of items per user, 1 and up.</param>
    public UserHistoryBatch(int users, int itemsPerUser)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(users, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(itemsPerUser, 1);
        ItemsPerUser = itemsPerUser;
        Users = new ulong[users];
        Ages = new HistoryAge[users];
        ProducedTimes = new long[users];
        Offsets = new int[users + 1];
        Items = new ulong[users * itemsPerUser];
    }

    /// <summary>Gets the maximum number of items per user.</summary>
    public int ItemsPerUser { get; }

    /// <summary>Gets the number of users in use.</summary>
    public int Count { get; private set; }

    /// <summary>Gets a value indicating whether there is room for another user.</summary>
    public bool HasRoom => Count < Users.Length;

    /// <summary>Gets the users: hashes of their ids.</summary>
    public ulong[] Users { get; }

    /// <summary>Gets the age of each history.</summary>
    public HistoryAge[] Ages { get; }

    /// <summary>Gets when the oldest unpublished record of each history was produced, Unix milliseconds; 0 when there is
    /// none.</summary>
    public long[] ProducedTimes { get; }

    /// <summary>Gets where each history starts in <see cref="Items"/>; entry <see cref="Count"/> is the end.</summary>
    public int[] Offsets { get; }

    /// <summary>Gets hashes of the items' ids, oldest first, histories concatenated.</summary>
    public ulong[] Items { get; }

    /// <summary>The items of a user.</summary>
    public ReadOnlySpan<ulong> ItemsOf(int user) => Items.AsSpan(Offsets[user]..Offsets[user + 1]);

    /// <summary>Empties the batch.</summary>
    public void Clear() => Count = 0;

    /// <summary>Adds the newest items of a user; skips a user that the store does not know (any more).</summary>
    /// <param name="histories">The store.</param>
    /// <param name="user">The user's key.</param>
    /// <param name="producedTime">When the oldest unpublished record of the history was produced, Unix milliseconds; 0 when none.</param>
    public void Add(HistoryStore histories, ulong user, long producedTime)
    {
        int start = Offsets[Count];
        int items = histories.GetNewest(user, Items.AsSpan(start, ItemsPerUser), out HistoryAge age);
        if (items > 0)
        {
            Users[Count] = user;
            Ages[Count] = age;
            ProducedTimes[Count] = producedTime;
            Offsets[++Count] = start + items;
        }
    }

    /// <summary>Adds a user without items: the serving tier deletes its history.</summary>
    public void AddForgotten(ulong user)
    {
        Users[Count] = user;
        Ages[Count] = default;
        ProducedTimes[Count] = 0;
        Offsets[Count + 1] = Offsets[Count];
        Count++;
    }
}
