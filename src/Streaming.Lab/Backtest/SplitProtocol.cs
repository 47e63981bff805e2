using Streaming.Formats.Inputs;

namespace Streaming.Lab.Backtest;

/// <summary>Splits a log of interactions for offline evaluation.</summary>
internal static class SplitProtocol
{
    /// <summary>
    /// Leave-one-out: each user's last item is the test target, the one before it the validation target; the test history
    /// includes the validation item (SASRec, LRURec, fMRLRec). Users with fewer than three items are only trained on. Events of weight 0
    /// are not targets.
    /// </summary>
    public static OfflineSplit LeaveOneOut(InteractionLog log)
    {
        OfflineSplit split = Empty(log);
        for (int user = 0; user < log.Sequences.Count; user++)
        {
            ReadOnlySpan<int> sequence = log.Sequences[user];
            ReadOnlySpan<float> weights = log.WeightsOf(user);
            int test = LastExample(weights);
            int validation = LastExample(weights[..Math.Max(test, 0)]);
            if (LastExample(weights[..Math.Max(validation, 0)]) < 0)
            {
                Train(split, sequence, weights);
                continue;
            }

            Train(split, sequence[..validation], weights[..validation]);
            split.Validation.Add(sequence[..validation], sequence.Slice(validation, 1));
            split.Test.Add(sequence[..test], sequence.Slice(test, 1));
        }

        return split;
    }

    /// <summary>
    /// User split (ComiRec): 8 : 1 : 1 of the users, shuffled. All items of training users train; of the other users the first 80 %
    /// of the items are the history and the rest, without repeats, the targets. Test users are thus not seen in training.
    /// </summary>
    public static OfflineSplit ByUser(InteractionLog log, int seed)
    {
        int[] users = [.. Enumerable.Range(0, log.Sequences.Count)];
        new Random(seed).Shuffle(users);
        OfflineSplit split = Empty(log);
        int train = users.Length * 8 / 10;
        int validation = users.Length * 9 / 10;
        for (int i = 0; i < users.Length; i++)
        {
            ReadOnlySpan<int> sequence = log.Sequences[users[i]];
            float[] weights = log.WeightsOf(users[i]).ToArray();
            if (i < train)
            {
                Train(split, sequence, weights);
                continue;
            }

            int cut = sequence.Length * 8 / 10;
            if (cut > 0 && cut < sequence.Length)
            {
                int[] targets = [.. sequence[cut..].ToArray().Where((_, place) => weights[cut + place] > 0).Distinct()];
                if (targets.Length > 0)
                {
                    (i < validation ? split.Validation : split.Test).Add(sequence[..cut], targets);
                }
            }
        }

        return split;
    }

    /// <summary>
    /// Time split: the first 80 % of all events train, each event of the next 10 % is a validation case and each of the
    /// last 10 % a test case, with the user's history up to it. Nothing after the cut is trained on.
    /// </summary>
    /// <exception cref="InputFileException">The log has no times.</exception>
    public static OfflineSplit ByTime(InteractionLog log)
    {
        IReadOnlyList<long[]> times =
            log.Times ?? throw new InputFileException("The time split needs event times: use --events instead of --sequences.");
        long[] all = [.. times.SelectMany(user => user).Order()];
        long validationFrom = all[(int)(all.LongLength * 8 / 10)];
        long testFrom = all[(int)(all.LongLength * 9 / 10)];
        OfflineSplit split = Empty(log);
        for (int user = 0; user < times.Count; user++)
        {
            ReadOnlySpan<int> sequence = log.Sequences[user];
            ReadOnlySpan<float> weights = log.WeightsOf(user);
            int cut = times[user].AsSpan().BinarySearch(new FirstNotBefore(validationFrom));
            if (~cut > 0)
            {
                Train(split, sequence[..~cut], weights[..~cut]);
            }

            for (int i = Math.Max(1, ~cut); i < sequence.Length; i++)
            {
                if (weights[i] == 0)
                {
                    continue;
                }

                (times[user][i] < testFrom ? split.Validation : split.Test).Add(sequence[..i], sequence.Slice(i, 1));
            }
        }

        return split;
    }

    private static OfflineSplit Empty(InteractionLog log) =>
        new(new JaggedList(), new WeightList(), new RankingCases(), new RankingCases(), log.Items.Count);

    private static void Train(OfflineSplit split, ReadOnlySpan<int> sequence, ReadOnlySpan<float> weights)
    {
        split.Train.Add(sequence);
        split.TrainWeights.Add(weights);
    }

    private static int LastExample(ReadOnlySpan<float> weights) => weights.LastIndexOfAnyExcept(0f);

    /// <summary>Never returns equal, so that the binary search ends between earlier and later times.</summary>
    private readonly struct FirstNotBefore(long time) : IComparable<long>
    {
        public int CompareTo(long other) => other < time ? 1 : -1;
    }
}
