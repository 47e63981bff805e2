using Xunit;

namespace Streaming.Worker.Tests.Faults;

public sealed class KafkaOutageTests
{
    [Theory]
    [InlineData(Fault.BrokerDown)]
    [InlineData(Fault.BrokerErrors)]
    [InlineData(Fault.BrokerSlow)]
    [InlineData(Fault.LeadersMove)]
    [InlineData(Fault.MembersComeAndGo)]
    public Task UnderLoad_BreaksAndHeals_NothingLostTwiceOrStale(Fault fault) => Outage.BreakAndHealAsync(fault);

    [Theory]
    [InlineData(Fault.BrokerDown)]
    [InlineData(Fault.BrokerErrors)]
    [InlineData(Fault.BrokerSlow)]
    [InlineData(Fault.LeadersMove)]
    [InlineData(Fault.MembersComeAndGo)]
    public Task SigtermWhileBroken_ExitsZeroInTimeAndTheNextOneLosesNothing(Fault fault) => Outage.TerminateWhileBrokenAsync(fault);
}
