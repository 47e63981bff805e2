using Streaming.Learning.Engine;
using Streaming.Learning.Losses;
using Streaming.Models.Batches;
using Streaming.Models.Options;
using Xunit;

namespace Streaming.Learning.Tests.Losses;

public sealed class CandidateColumnsTests
{
    [Theory]
    [InlineData(LossKind.InBatch)]
    [InlineData(LossKind.Mns)]
    [InlineData(LossKind.Cbns)]
    public void Plan_BatchAndNegatives_PutsPositivesLastTheLastOneFirst(LossKind loss)
    {
        var columns = new CandidateColumns(loss);
        RowSlots slots = Slots();

        columns.Plan(Batch([10, 11, 10], [20, 11]), slots);

        Assert.Equal((5, 5), (columns.Batch, columns.Scored));
        Assert.Equal([4, 3, 2], columns.Positives.ToArray());
        Assert.Equal([20, 11, 10, 11, 10], columns.Slots.ToArray().Select(slot => slots.Rows[slot]));
    }

    [Fact]
    public void Fill_Columns_HaveVectorIdAndLogQOfTheirItem()
    {
        var columns = new CandidateColumns(LossKind.Mns);
        RowSlots slots = Slots();
        TrainingBatch batch = Batch([10, 11], [20]);
        batch.LogQ = new float[] { -1, -2 };
        batch.NegativeLogQ = new float[] { -3 };
        columns.Plan(batch, slots);
        (float[]? vectors, int[]? ids, float[]? logQ) = (new float[6], new int[3], new float[3]);

        columns.Fill(batch, [200, 201, 110, 111, 100, 101], 2, vectors, ids, logQ);

        // Slots are in the order of the columns: 20, then the positives from the last.
        Assert.Equal([20, 11, 10], ids);
        Assert.Equal([-3, -2, -1], logQ);
        Assert.Equal(
            columns.Slots.ToArray().SelectMany(slot => (float[])[.. new float[] { 200, 201, 110, 111, 100, 101 }.AsSpan(slot * 2, 2)]),
            vectors
        );
    }

    [Fact]
    public void Fill_WithoutLogQ_IsZero()
    {
        var columns = new CandidateColumns(LossKind.InBatch);
        TrainingBatch batch = Batch([10], [20]);
        columns.Plan(batch, Slots());
        float[] logQ = [5, 5];

        columns.Fill(batch, new float[4], 2, new float[4], new int[2], logQ);

        Assert.Equal([0, 0], logQ);
    }

    /// <summary>The positives of other rows are masked: they share an id that no item has.</summary>
    [Fact]
    public void Fill_UniformLoss_PositivesShareAnIdOfTheirOwn()
    {
        var columns = new CandidateColumns(LossKind.Uniform);
        TrainingBatch batch = Batch([10, 11], [20]);
        columns.Plan(batch, Slots());
        int[] ids = new int[3];

        columns.Fill(batch, new float[6], 2, new float[6], ids, new float[3]);

        Assert.Equal([20, int.MaxValue, int.MaxValue], ids);
    }

    [Fact]
    public void Plan_FullLoss_FindsPositivesInTheCatalogue()
    {
        var columns = new CandidateColumns(LossKind.Full);

        columns.Plan(Batch([12, 10], [10, 11, 12]), Slots());

        Assert.Equal(3, columns.Scored);
        Assert.Equal([2, 0], columns.Positives.ToArray());
    }

    [Fact]
    public void Plan_FullLossWithAnItemTwice_IsRefused() =>
        Assert.Contains(
            "row 11 twice",
            Assert.Throws<ArgumentException>(() => new CandidateColumns(LossKind.Full).Plan(Batch([11], [10, 11, 11]), Slots())).Message,
            StringComparison.Ordinal
        );

    [Fact]
    public void Plan_FullLossWithAPositiveOutside_IsRefused() =>
        Assert.Contains(
            "row 12, which is not in Negatives",
            Assert.Throws<ArgumentException>(() => new CandidateColumns(LossKind.Full).Plan(Batch([12], [10, 11]), Slots())).Message,
            StringComparison.Ordinal
        );

    private static TrainingBatch Batch(int[] positives, int[] negatives) => new() { Positives = positives, Negatives = negatives };

    private static RowSlots Slots()
    {
        var slots = new RowSlots();
        slots.Clear();
        return slots;
    }
}
