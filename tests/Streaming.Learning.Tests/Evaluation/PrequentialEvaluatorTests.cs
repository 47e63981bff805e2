using Streaming.Learning.Evaluation;
using Streaming.Models.State;
using Xunit;

namespace Streaming.Learning.Tests.Evaluation;

public class PrequentialEvaluatorTests
{
    private static readonly TiedRank Hit = new(0, 0);
    private static readonly TiedRank Miss = new(100, 0);

    [Fact]
    public void Record_EachKindOfExample_CountsInItsSegments()
    {
        var evaluator = new PrequentialEvaluator([8, 16], new PrequentialOptions { Cutoffs = [20] });
        evaluator.Record([Miss, Hit], new ExampleKind(IsRepeat: false, IsKnownUser: false));
        evaluator.Record([Hit, Hit], new ExampleKind(IsRepeat: false, IsKnownUser: true));
        evaluator.Record([Miss, Miss], new ExampleKind(IsRepeat: true, IsKnownUser: true));
        evaluator.Record([Miss, Miss], new ExampleKind(IsRepeat: false, IsKnownUser: true, IsFirstDay: true, IsAfterDrift: true));

        long[] counts = [.. Enum.GetValues<EvaluationSegment>().Select(segment => evaluator.Total(0, segment).Count)];
        Assert.Equal([4, 3, 1, 3, 1, 2, 1, 1], counts);
        Assert.Equal(0.25, evaluator.Total(0, EvaluationSegment.All).Recall(20), 12);
        Assert.Equal(0.5, evaluator.Total(1, EvaluationSegment.All).Recall(20), 12);
        Assert.Equal(0, evaluator.Total(0, EvaluationSegment.NewUsers).Recall(20));
        Assert.Equal(2.0 / 3, evaluator.Total(1, EvaluationSegment.NewItems).Recall(20), 12);
        Assert.Equal(0, evaluator.Total(1, EvaluationSegment.ItemsInFirstDay).Recall(20));
    }

    [Fact]
    public void Record_MoreThanTheWindow_ForgetsTheOldest()
    {
        var evaluator = new PrequentialEvaluator([8], new PrequentialOptions { Cutoffs = [20], Window = 3 });
        foreach (TiedRank rank in new[] { Hit, Hit, Miss, Miss })
        {
            evaluator.Record([rank], new ExampleKind(IsRepeat: false, IsKnownUser: true));
        }

        Assert.Equal(0.5, evaluator.Total(0, EvaluationSegment.All).Recall(20));
        Assert.Equal(1.0 / 3, evaluator.Recent(0, EvaluationSegment.All).Recall(20), 12);
        Assert.Equal(3, evaluator.Recent(0, EvaluationSegment.All).Count);
    }

    [Fact]
    public void Record_BeginningSkipped_LeavesItOut()
    {
        var evaluator = new PrequentialEvaluator([8], new PrequentialOptions { Cutoffs = [20], SkipExamples = 2 });
        evaluator.Record([Miss], new ExampleKind(IsRepeat: false, IsKnownUser: true));
        evaluator.Record([Miss], new ExampleKind(IsRepeat: false, IsKnownUser: true));
        evaluator.Record([Hit], new ExampleKind(IsRepeat: false, IsKnownUser: true));
        Assert.Equal(1, evaluator.Total(0, EvaluationSegment.All).Recall(20));
        Assert.Equal(3, evaluator.Examples);
    }

    [Fact]
    public void Read_WhatWasWritten_ContinuesAsIfNeverStopped()
    {
        var options = new PrequentialOptions { Cutoffs = [5, 20], Window = 7 };
        var whole = new PrequentialEvaluator([8, 16], options);
        var before = new PrequentialEvaluator([8, 16], options);
        var after = new PrequentialEvaluator([8, 16], options);
        var random = new Random(5);
        for (int i = 0; i < 40; i++)
        {
            if (i == 25)
            {
                Copy(before, after);
            }

            TiedRank[] ranks = [new(random.Next(30), random.Next(3)), new(random.Next(30), 0)];
            bool isRepeat = random.Next(2) == 0;
            bool isKnownUser = isRepeat || random.Next(2) == 0;
            var draw = new Draw(1 + random.Next(3), i / 4);
            whole.Record(ranks, new ExampleKind(isRepeat, isKnownUser), draw);
            (i < 25 ? before : after).Record(ranks, new ExampleKind(isRepeat, isKnownUser), draw);
        }

        Assert.Equal(State(whole), State(after));
    }

    [Fact]
    public void Read_StateOfOtherWidths_SaysBoth()
    {
        var options = new PrequentialOptions();
        StateMismatchException error = Assert.Throws<StateMismatchException>(() =>
            Copy(new PrequentialEvaluator([8, 16], options), new PrequentialEvaluator([8, 32], options))
        );
        Assert.Contains("widths 8,16,", error.Message, StringComparison.Ordinal);
        Assert.Contains("widths 8,32,", error.Message, StringComparison.Ordinal);
    }

    private static byte[] State(PrequentialEvaluator evaluator)
    {
        using var memory = new MemoryStream();
        using (var writer = new BinaryWriter(memory))
        {
            evaluator.Write(writer);
        }

        return memory.ToArray();
    }

    private static void Copy(PrequentialEvaluator from, PrequentialEvaluator to)
    {
        using var reader = new BinaryReader(new MemoryStream(State(from)));
        to.Read(reader);
    }
}
