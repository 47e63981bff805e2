using Streaming.Core.Positions;
using Streaming.Transport.Kafka.Topics;
using Xunit;

namespace Streaming.Transport.Tests.Kafka;

public class OldEndsTests
{
    private readonly OldEnds _ends = new("t", []);

    [Fact]
    public void Observe_Ends_CountOnceALaterLookHasSeenTheSameTopic()
    {
        _ends.Observe(look: 1, next: 3, [(0, 10), (1, -1)], "a"); // look 2 is in progress
        Assert.Empty(_ends.Confirmed);
        _ends.Observe(look: 2, next: 3, [(0, 20)], "a");
        Assert.Empty(_ends.Confirmed);
        _ends.Observe(look: 3, next: 4, [(0, 30)], "a");
        Assert.Equal([new StreamPosition("t", 0, 10, "a")], _ends.Confirmed);
        Assert.True(_ends.TryGet(0, "a", out long end));
        Assert.Equal(10, end);
    }

    [Fact]
    public void TryGet_EndsOfAnotherTopicOrPartition_FindsNone()
    {
        OldEnds ends = new("t", [new StreamPosition("t", 0, 10, "a"), new StreamPosition("u", 1, 10, "a")]);
        Assert.True(ends.TryGet(0, "a", out _));
        Assert.False(ends.TryGet(0, "b", out _));
        Assert.False(ends.TryGet(1, "a", out _));
    }
}
