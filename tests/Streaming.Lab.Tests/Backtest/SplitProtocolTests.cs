using Streaming.Formats.Inputs;
using Streaming.Lab.Backtest;
using Xunit;

namespace Streaming.Lab.Tests.Backtest;

public class SplitProtocolTests
{
    [Fact]
    public void LeaveOneOut_LastIsTestAndTheOneBeforeValidation()
    {
        OfflineSplit split = SplitProtocol.LeaveOneOut(
            Log([
                [1, 2, 3, 4],
                [5, 6],
            ])
        );
        Assert.Equal([1, 2], split.Train[0]);
        Assert.Equal([5, 6], split.Train[1]);
        Assert.Equal(1, split.Test.Count);
        Assert.Equal([1, 2], split.Validation.Histories[0]);
        Assert.Equal([3], split.Validation.Targets[0]);
        Assert.Equal([1, 2, 3], split.Test.Histories[0]);
        Assert.Equal([4], split.Test.Targets[0]);
    }

    [Fact]
    public void ByUser_EightOneOne_NoUserIsInTwoParts()
    {
        // Each of 100 users has ten distinct items, one of them twice among the targets.
        int[][] sequences = [.. Enumerable.Range(0, 100).Select(user => (int[])[.. Enumerable.Range(user * 10, 9), (user * 10) + 8])];
        OfflineSplit split = SplitProtocol.ByUser(Log(sequences), seed: 1);
        Assert.Equal((80, 10, 10), (split.Train.Count, split.Validation.Count, split.Test.Count));
        IEnumerable<int> users = Enumerable
            .Range(0, 80)
            .Select(i => split.Train[i][0])
            .Concat(Enumerable.Range(0, 10).Select(i => split.Validation.Histories[i][0]))
            .Concat(Enumerable.Range(0, 10).Select(i => split.Test.Histories[i][0]));
        Assert.Equal(100, users.Distinct().Count());
        Assert.Equal(8, split.Test.Histories[0].Length);
        Assert.Single(split.Test.Targets[0].ToArray());
    }

    [Fact]
    public void ByTime_NothingTrainedLiesAfterTheCut()
    {
        var random = new Random(2);
        var sequences = new List<int[]>();
        var times = new List<long[]>();
        for (int user = 0; user < 50; user++)
        {
            long[] own = [.. Enumerable.Range(0, 20).Select(_ => random.NextInt64(1_000)).Order()];
            times.Add(own);

            // The item encodes the time, so that the parts can be identified below.
            sequences.Add([.. own.Select(time => (int)time)]);
        }

        OfflineSplit split = SplitProtocol.ByTime(Log([.. sequences]) with { Times = times });
        int lastTrained = Enumerable.Range(0, split.Train.Count).Max(i => split.Train[i][^1]);
        int firstValidated = Enumerable.Range(0, split.Validation.Count).Min(i => split.Validation.Targets[i][0]);
        int lastValidated = Enumerable.Range(0, split.Validation.Count).Max(i => split.Validation.Targets[i][0]);
        int firstTested = Enumerable.Range(0, split.Test.Count).Min(i => split.Test.Targets[i][0]);
        Assert.True(lastTrained < firstValidated);
        Assert.True(lastValidated < firstTested);
        Assert.Equal(1_000, split.Train.ValueCount + split.Validation.Count + split.Test.Count);
        for (int i = 0; i < split.Test.Count; i++)
        {
            Assert.All(split.Test.Histories[i].ToArray(), item => Assert.True(item <= split.Test.Targets[i][0]));
        }
    }

    [Fact]
    public void ByTime_WithoutTimes_SaysSo() =>
        Assert.Contains(
            "--events",
            Assert
                .Throws<InputFileException>(() =>
                    SplitProtocol.ByTime(
                        Log([
                            [1, 2],
                        ])
                    )
                )
                .Message,
            StringComparison.Ordinal
        );

    [Fact]
    public void Sample_OfCases_IsAFixedPartInOrder()
    {
        var cases = new RankingCases();
        for (int i = 0; i < 100; i++)
        {
            cases.Add([i], [i]);
        }

        RankingCases sample = cases.Sample(30, seed: 4);
        int[] targets = [.. Enumerable.Range(0, sample.Count).Select(i => sample.Targets[i][0])];
        Assert.Equal(30, targets.Distinct().Count());
        Assert.Equal(targets.Order(), targets);
        Assert.Equal(targets, Enumerable.Range(0, 30).Select(i => cases.Sample(30, seed: 4).Targets[i][0]));
        Assert.Same(cases, cases.Sample(100, seed: 4));
    }

    private static InteractionLog Log(int[][] sequences)
    {
        var rows = new JaggedList();
        foreach (int[] sequence in sequences)
        {
            rows.Add(sequence);
        }

        return new InteractionLog(
            [.. Enumerable.Range(0, sequences.Max(sequence => sequence.Max()) + 1).Select(item => $"i{item}")],
            rows,
            null
        );
    }
}
