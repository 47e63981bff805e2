namespace Streaming.Core.Histories;

/// <summary>Finds the histories of a life of the trainer that was given up, which the store holds and the model has not.</summary>
public static class HistoryDifferences
{
    private const int UsersPerBatch = 1024;

    /// <summary>How far the history of every user has come. For the thread that owns the store.</summary>
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

    /// <summary>The histories that take the place of those that had gone further.</summary>
    /// <param name="abandoned">How far each history had come, from <see cref="Ages"/>.</param>
    /// <param name="kept">What was returned to.</param>
    /// <param name="itemsPerUser">The newest items of a user that are handed out, 1 and up.</param>
    /// <returns>Users without items are those that were not known yet.</returns>
    public static IReadOnlyList<UserHistoryBatch> Between(IReadOnlyDictionary<ulong, HistoryAge> abandoned, HistoryStore kept, int itemsPerUser)
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
