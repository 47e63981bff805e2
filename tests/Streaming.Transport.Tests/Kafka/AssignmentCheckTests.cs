using Streaming.Transport.Kafka.Health;
using Xunit;

namespace Streaming.Transport.Tests.Kafka;

public class AssignmentCheckTests
{
    private readonly SteppedTime _time = new();

    [Theory]
    [InlineData(0, null, "no partition of topic 't' assigned by group 'g'")]
    [InlineData(0, 0, "no partition of topic 't' assigned by group 'g'; no other member holds any")]
    [InlineData(
        2,
        1,
        "only 2 of 4 partitions of topic 't' assigned by group 'g'; another member of the group reads the rest: its events are not in "
            + "this model"
    )]
    [InlineData(
        0,
        3,
        "no partition of topic 't' assigned by group 'g'; 3 other members of the group read the rest: their events are not in this model"
    )]
    public void Update_FewerThanAllForLongerThanTheSession_SaysWhoHasThem(int assigned, int? others, string expected)
    {
        AssignmentCheck check = Check(others);
        Assert.Empty(check.Update(assigned, 4));
        _time.Advance(TimeSpan.FromSeconds(9));
        Assert.Empty(check.Update(assigned, 4)); // a rebalance may take as long
        _time.Advance(TimeSpan.FromSeconds(1));
        check.Update(assigned, 4);
        Assert.Equal(expected, check.Update(assigned, 4));
    }

    [Fact]
    public void Update_AllAssignedMeanwhile_StartsOver()
    {
        AssignmentCheck check = Check(0);
        check.Update(0, 4);
        _time.Advance(TimeSpan.FromSeconds(20));
        Assert.NotEmpty(check.Update(0, 4));
        Assert.Empty(check.Update(4, 4));
        Assert.Empty(check.Update(3, 4));
    }

    private AssignmentCheck Check(int? others) => new("t", "g", TimeSpan.FromSeconds(10), () => Task.FromResult(others), _time);
}
