using Streaming.Transport.Kafka.Readers;
using Xunit;

namespace Streaming.Transport.Tests.Kafka.Readers;

public class PauseGateTests
{
    private readonly List<bool> _applied = [];

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Apply_AfterAnAssignment_SetsItToWhatTheGateSaysNow(bool closed)
    {
        PauseGate gate = new(_applied.Add);
        gate.Set(closed);
        gate.OnAssigned();
        Assert.Equal([closed], _applied); // nothing from within the client's callback

        gate.Apply();
        Assert.Equal([closed, closed], _applied);
    }

    [Fact]
    public void Apply_NothingAssigned_CallsNobody()
    {
        PauseGate gate = new(_applied.Add);
        gate.Apply();
        Assert.Empty(_applied);
        Assert.False(gate.IsClosed);
    }

    [Fact]
    public void Set_AfterAnAssignment_LeavesNothingToApply()
    {
        PauseGate gate = new(_applied.Add);
        gate.OnAssigned();
        gate.Set(true);
        gate.Apply();
        Assert.Equal([true], _applied);
    }
}
