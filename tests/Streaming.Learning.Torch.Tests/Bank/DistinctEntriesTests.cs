using Streaming.Learning.Torch.Bank;
using Xunit;

namespace Streaming.Learning.Torch.Tests.Bank;

public class DistinctEntriesTests
{
    [Fact]
    public void Enqueue_ItemsHeldAndDrawnTwice_KeepsTheNewestOfEach()
    {
        var entries = new DistinctEntries(3);

        Assert.Equal([0, 1], entries.Enqueue([1, 2]));
        Assert.Equal([1L, 2L], entries.Ages.ToArray());

        // Newest first: 5, 2, 5 (a repeat), 2 (held, a repeat), 1.
        Assert.Equal([0, 1, 4], entries.Enqueue([5, 2, 5]));
        Assert.Equal([1L, 2L, 5L], entries.Ages.ToArray());

        // The item drawn longest ago makes room.
        Assert.Equal([0, 1, 2], entries.Enqueue([9]));
        Assert.Equal([1L, 2L, 3L], entries.Ages.ToArray());
    }

    [Fact]
    public void Forget_AnItem_ItsEntryAgesUntilItLeaves()
    {
        var entries = new DistinctEntries(3);
        entries.Enqueue([1, 2]);

        entries.Forget(2);

        Assert.Equal([0, 1, 2], entries.Enqueue([2]));
        Assert.Equal([1L, 2L, 3L], entries.Ages.ToArray());
    }

    [Fact]
    public void Reset_StoredEntries_ContinuesFromThem()
    {
        var entries = new DistinctEntries(3);

        entries.Reset([7, 8], [4, 9]);

        Assert.Equal([0, 1], entries.Enqueue([8]));
        Assert.Equal([1L, 5L], entries.Ages.ToArray());
    }
}
