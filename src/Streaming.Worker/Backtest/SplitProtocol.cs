namespace Streaming.Worker.Backtest;

/// <summary>How a log of interactions is cut for an offline evaluation.</summary>
internal static class SplitProtocol
{
    /// <summary>
    /// Leave-one-out: each user's last item is the test target, the one before the validation target; the test history
    /// includes the validation item (SASRec, LRURec, fMRLRec). Users with fewer than three items only train.
    /// </summary>
    public static OfflineSplit LeaveOneOut(InteractionLog log)
    {
        var split = Empty(log);
        for (int user = 0; user < log.Sequences.Count; user++)
        {
            var sequence = log.Sequences[user];
            if (sequence.Length < 3)
            {
                split.Train.Add(sequence);
                continue;
            }

            split.Train.Add(sequence[..^2]);
            split.Validation.Add(sequence[..^2], sequence[^2..^1]);
            split.Test.Add(sequence[..^1], sequence[^1..]);
        }

        return split;
    }

    /// <summary>
    /// User split (ComiRec): 8 : 1 : 1 of the users, shuffled. Training users train whole; of the others the first 80 %
    /// of the items are the history and the rest, without repeats, the targets. So test users are strangers.
    /// </summary>
    public static OfflineSplit ByUser(InteractionLog log, int seed)
    {
        int[] users = [.. Enumerable.Range(0, log.Sequences.Count)];
        new Random(seed).Shuffle(users);
        var split = Empty(log);
        int train = users.Length * 8 / 10;
        int validation = users.Length * 9 / 10;
        for (int i = 0; i < users.Length; i++)
        {
            var sequence = log.Sequences[users[i]];
            if (i < train)
            {
                split.Train.Add(sequence);
                continue;
            }

            int cut = sequence.Length * 8 / 10;
            if (cut > 0 && cut < sequence.Length)
            {
                int[] targets = [.. sequence[cut..].ToArray().Distinct()];
                (i < validation ? split.Validation : split.Test).Add(sequence[..cut], targets);
            }
        }

        return split;
    }

    /// <summary>
    /// Time split: the first 80 % of all events train, each event of the next 10 % is a validation case and each of the
    /// last 10 % a test case, with the user's history up to it. Nothing is learned from what lies after the cut.
    /// </summary>
    /// <exception cref="InputFileException">The log has no times.</exception>
    public static OfflineSplit ByTime(InteractionLog log)
    {
        var times = log.Times ?? throw new InputFileException("The time split needs event times: give --events in place of --sequences.");
        long[] all = [.. times.SelectMany(user => user).Order()];
        long validationFrom = all[(int)(all.LongLength * 8 / 10)];
        long testFrom = all[(int)(all.LongLength * 9 / 10)];
        var split = Empty(log);
        for (int user = 0; user < times.Count; user++)
        {
            var sequence = log.Sequences[user];
            int cut = times[user].AsSpan().BinarySearch(new FirstNotBefore(validationFrom));
            if (~cut > 0)
            {
                split.Train.Add(sequence[..~cut]);
            }

            for (int i = Math.Max(1, ~cut); i < sequence.Length; i++)
            {
                (times[user][i] < testFrom ? split.Validation : split.Test).Add(sequence[..i], sequence.Slice(i, 1));
            }
        }

        return split;
    }

    private static OfflineSplit Empty(InteractionLog log) => new(new JaggedList(), new RankingCases(), new RankingCases(), log.Items.Count);

    /// <summary>Never equal, so that the search ends between the times before and those not before.</summary>
    private readonly struct FirstNotBefore(long time) : IComparable<long>
    {
        public int CompareTo(long other) => other < time ? 1 : -1;
    }
}
