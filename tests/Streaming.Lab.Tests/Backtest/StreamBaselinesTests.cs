using Streaming.Core.Ingestion;
using Streaming.Lab.Backtest;
using Streaming.Learning.Evaluation;
using Xunit;

namespace Streaming.Lab.Tests.Backtest;

public class StreamBaselinesTests
{
    /// <summary>Each event is ranked by what came before it, in the same batch too, and only then learned.</summary>
    [Fact]
    public void Take_Events_AreRankedBeforeTheyAreLearned()
    {
        var spy = new Spy();
        StreamBaselines floors = Create(spy, evaluateEvery: 1);

        floors.Take(Batch((1, 10, []), (1, 11, [10]), (2, 10, [])), isAfterDrift: false);

        Assert.Equal(
            ["look for i0", "u0 learns i0", "look for i1", "u0 learns i1", "look for i0", "u1 scores 2 items after []", "u1 learns i0"],
            spy.Calls
        );
    }

    [Fact]
    public void Take_EvaluateEvery_RanksEveryNthBatchWithEvents()
    {
        var spy = new Spy();
        StreamBaselines floors = Create(spy, evaluateEvery: 2);

        floors.Take(Batch((1, 10, [])), false);
        floors.Take(Batch(), false); // without events: counts for nothing
        floors.Take(Batch((1, 11, [])), false);
        floors.Take(Batch((1, 12, [])), false);

        Assert.Equal(["look for i0", "u0 learns i0", "u0 learns i1", "look for i2", "u0 learns i2"], spy.Calls);
    }

    private static StreamBaselines Create(Spy spy, int evaluateEvery) =>
        new([spy], [new PrequentialEvaluator([0], new PrequentialOptions())], evaluateEvery);

    private static Batch Batch(params (ulong User, ulong Item, ulong[] History)[] events)
    {
        var batch = new Batch(8, 4);
        foreach ((ulong user, ulong item, ulong[] history) in events)
        {
            int i = batch.Count++;
            batch.UserKeys[i] = user;
            batch.ItemKeys[i] = item;
            history.CopyTo(batch.HistoryItems, batch.HistoryOffsets[i]);
            batch.HistoryOffsets[i + 1] = batch.HistoryOffsets[i] + history.Length;
        }

        return batch;
    }

    private sealed class Spy : StreamingBaseline
    {
        public List<string> Calls { get; } = [];

        public override string Name => "spy";

        protected override bool Knows(int item)
        {
            Calls.Add($"look for i{item}");
            return item < ItemCount;
        }

        protected override void Score(int user, ReadOnlySpan<int> history, Span<double> scores) =>
            Calls.Add($"u{user} scores {scores.Length} items after [{string.Join(',', history.ToArray())}]");

        protected override void Learn(int user, ReadOnlySpan<int> history, int item) => Calls.Add($"u{user} learns i{item}");

        protected override void GrowItems(int capacity) { }
    }
}
