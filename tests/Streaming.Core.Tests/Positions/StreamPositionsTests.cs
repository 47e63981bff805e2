using Streaming.Core.Positions;
using Xunit;

namespace Streaming.Core.Tests.Positions;

public class StreamPositionsTests
{
    [Fact]
    public void Constructor_StartPositions_AreTheOnesGiven()
    {
        StreamPositions positions = new(["a", "b"], [new("b", 2, 7), new("a", 0, 0), new("other", 1, 5)]);
        Assert.Equal(0, positions[0, 0]);
        Assert.Equal(7, positions[1, 2]);
        Assert.Equal(-1, positions[1, 1]);
        Assert.Equal(-1, positions[0, 99]);
        Assert.Equal(1, positions.PartitionCount(0));
        Assert.Equal(3, positions.PartitionCount(1));
    }

    [Fact]
    public void CopyTo_KnownPositions_InOrderOfTopicAndPartition()
    {
        StreamPositions positions = new(["a", "b"], []);
        positions.Set(1, 1, 3);
        positions.Set(0, 2, 4);
        List<StreamPosition> copied = [];
        positions.CopyTo(copied);
        Assert.Equal([new("a", 2, 4), new("b", 1, 3)], copied);
    }

    [Fact]
    public void Constructor_ImpossiblePosition_IsRefused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new StreamPositions(["a"], [new("a", -1, 0)]));
        Assert.Throws<ArgumentOutOfRangeException>(() => new StreamPositions(["a"], [new("a", 0, -5)]));
        Assert.Throws<ArgumentOutOfRangeException>(() => new StreamPositions(["a"], [new("a", int.MaxValue, 0)]));
    }

    [Fact]
    public void CopyTo_TopicIds_BelongToThePositionsOfTheirTopic()
    {
        StreamPositions positions = new(["a", "b"], [new("a", 0, 7, "id-a"), new("b", 0, 3)]);
        Assert.Equal(("id-a", null), (positions.TopicId(0), positions.TopicId(1)));
        positions.Identify(1, "id-b");
        List<StreamPosition> copy = [];
        positions.CopyTo(copy);
        Assert.Equal([new StreamPosition("a", 0, 7, "id-a"), new StreamPosition("b", 0, 3, "id-b")], copy);
    }

    [Fact]
    public void Restart_TopicRecreated_ForgetsTheOldPositions()
    {
        StreamPositions positions = new(["a"], [new("a", 3, 7, "old")]);
        positions.Restart(0, "new");
        Assert.Equal((0, -1L, "new"), (positions.PartitionCount(0), positions[0, 3], positions.TopicId(0)));
    }
}
