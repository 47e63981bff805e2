namespace Streaming.Core.Histories;

/// <summary>Finds histories that an abandoned trainer state has published and that the restored model does not have.</summary>
public static class HistoryDifferences
{
    private const int UsersPerBatch = 1024;

    /// <summary>The age of every user's history. Call on the thread that owns the store.</summary>
    public static IReadOnlyDictionary<ulong, HistoryAge> Ages(HistoryStore histories)
    {
        ArgumentNullException.ThrowIfNull(histories);
        ulong[] items = new ulong[histories.Length];
        Dictionary<ulong, HistoryAge> ages = new(histories.UserCount);
        for (int number = 0; number < histories.UserCount; number++)
        {
            ulong user = histories.UserAt(number);
            histories.GetNewest(user, items, out HistoryAge age);
            ages.Add(user, age);
        }

        return ages;
    }

    /// <summary>The histories that replace those that differ from the restored state.</summary>
    /// <param name="abandoned">The age of each abandoned history, from <see cref="Ages"/>.</param>
    /// <param name="kept">The restored histories.</param>
    /// <param name="itemsPerUser">The number of newest items of a user to publish, 1 and up.</param>
    /// <returns>Batches of histories; a user without items is unknown to the restored state.</returns>
    public static IReadOnlyList<UserHistoryBatch> Between(
        IReadOnlyDictionary<ulong, HistoryAge> abandoned,
        HistoryStore kept,
        int itemsPerUser
    )
    {
        ArgumentNullException.ThrowIfNull(abandoned);
        ArgumentNullException.ThrowIfNull(kept);
        ulong[] items = new ulong[kept.Length];
        List<UserHistoryBatch> batches = [];
        foreach ((ulong user, HistoryAge age) in abandoned)
        {
            int known = kept.GetNewest(user, items, out HistoryAge before);
            if (known > 0 && before == age)
            {
                continue;
            }

            if (batches is not [.., { HasRoom: true }])
            {
                batches.Add(new UserHistoryBatch(Math.Min(UsersPerBatch, abandoned.Count), Math.Min(itemsPerUser, kept.Length)));
            }

            if (known > 0)
            {
                batches[^1].Add(kept, user, producedTime: 0);
            }
            else
            {
                batches[^1].AddForgotten(user);
            }
        }

        return batches;
    }
}
