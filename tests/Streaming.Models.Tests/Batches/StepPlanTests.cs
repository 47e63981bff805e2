using Streaming.Models.Batches;
using Streaming.Models.State;
using Xunit;

namespace Streaming.Models.Tests.Batches;

public sealed class StepPlanTests
{
    [Fact]
    public void Plan_TwoSequences_PutsAStartBeforeEach()
    {
        var plan = new StepPlan();

        plan.Plan(new JaggedRows { Rows = [5, 9, 5], Offsets = [0, 2, 3] }, [], Slots(), 100);

        Assert.Equal([0, 3, 5], plan.Starts.ToArray());
        Assert.Equal([-1, 0, 1, -1, 0], plan.Slots.ToArray());
        Assert.Equal([2, 4], plan.Predictions.ToArray());
    }

    [Fact]
    public void Plan_PredictionsGiven_AreKept()
    {
        var plan = new StepPlan();

        plan.Plan(new JaggedRows { Rows = [5, 9, 5], Offsets = [0, 2, 3] }, [0, 1, 4], Slots(), 100);

        Assert.Equal([0, 1, 4], plan.Predictions.ToArray());
        Assert.Equal(3, plan.ChunkAt(0).PredictionCount);
    }

    [Fact]
    public void Plan_NoHistory_PredictsFromTheStart()
    {
        var plan = new StepPlan();

        plan.Plan(new JaggedRows { Rows = [], Offsets = [0, 0] }, [], Slots(), 100);

        Assert.Equal((1, 1, 1), (plan.StepCount, plan.PredictionCount, plan.ChunkCount));
        Assert.Equal([-1], plan.Slots.ToArray());
        Assert.Equal([0], plan.Predictions.ToArray());
    }

    /// <summary>
    /// Whatever the lengths: chunks tile sequences, steps and predictions, and are cut where the next sequence would not fit.
    /// </summary>
    [Theory]
    [InlineData(1, 1)]
    [InlineData(7, 16)]
    [InlineData(200, 40)]
    [InlineData(200, 100_000)]
    public void Plan_RandomSequences_ChunksTileThem(int count, int chunkSteps)
    {
        var random = new Random(count + chunkSteps);
        int[] lengths = [.. Enumerable.Range(0, count).Select(_ => random.Next(30))];
        int[] offsets = [0, .. lengths.Select((_, i) => lengths.Take(i + 1).Sum())];
        int[] rows = [.. Enumerable.Range(0, offsets[^1]).Select(_ => random.Next(50))];
        int[] predictions = [.. Enumerable.Range(0, rows.Length + count).Where(_ => random.Next(3) == 0)];
        var plan = new StepPlan();
        RowSlots slots = Slots();

        plan.Plan(new JaggedRows { Rows = rows, Offsets = offsets }, predictions, slots, chunkSteps);

        int sequence = 0,
            step = 0,
            prediction = 0;
        for (int c = 0; c < plan.ChunkCount; c++)
        {
            Chunk chunk = plan.ChunkAt(c);
            Assert.Equal((sequence, step, prediction), (chunk.FirstSequence, chunk.FirstStep, chunk.FirstPrediction));
            Assert.True(chunk.SequenceCount == 1 || chunk.StepCount <= chunkSteps, $"chunk {c} has {chunk.StepCount} steps");
            sequence += chunk.SequenceCount;
            step += chunk.StepCount;
            prediction += chunk.PredictionCount;
            Assert.Equal(plan.Starts[sequence], step);
            Assert.True(
                sequence == count || plan.Starts[sequence + 1] - chunk.FirstStep > chunkSteps,
                "the next sequence would have fitted"
            );
            Assert.All(plan.Predictions[chunk.FirstPrediction..prediction].ToArray(), at => Assert.InRange(at, chunk.FirstStep, step - 1));
        }

        int first = predictions.Length == 0 ? count : predictions.Length;
        Assert.Equal((count, rows.Length + count, first), (sequence, step, prediction));
        int item = 0;
        Assert.All(plan.Slots.ToArray(), slot => Assert.True(slot < 0 || slots.Rows[slot] == rows[item++]));
        Assert.Equal(rows.Length, item);
    }

    [Fact]
    public void Scatter_OfGathered_KeepsPredictedRowsAndClearsTheOthers()
    {
        var plan = new StepPlan();
        plan.Plan(new JaggedRows { Rows = [1, 2, 3, 4], Offsets = [0, 2, 4] }, [1, 2, 5], Slots(), 3);
        float[] steps = [.. Enumerable.Range(1, 12).Select(value => (float)value)];
        (float[]? selected, float[]? back) = (new float[6], new float[12]);
        for (int c = 0; c < plan.ChunkCount; c++)
        {
            Chunk chunk = plan.ChunkAt(c);
            Span<float> part = selected.AsSpan(chunk.FirstPrediction * 2);
            Selection.Gather(plan, chunk, steps.AsSpan(chunk.FirstStep * 2), part, 2);
            Selection.Scatter(plan, chunk, part, back.AsSpan(chunk.FirstStep * 2, chunk.StepCount * 2), 2);
        }

        Assert.Equal(2, plan.ChunkCount);
        Assert.Equal([3, 4, 5, 6, 11, 12], selected);
        Assert.Equal([0, 0, 3, 4, 5, 6, 0, 0, 0, 0, 11, 12], back);
    }

    private static RowSlots Slots()
    {
        var slots = new RowSlots();
        slots.Clear();
        return slots;
    }
}
