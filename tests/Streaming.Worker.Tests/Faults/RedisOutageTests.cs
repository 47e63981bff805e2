using Xunit;

namespace Streaming.Worker.Tests.Faults;

public sealed class RedisOutageTests
{
    [Theory]
    [InlineData(Fault.RedisDown)]
    [InlineData(Fault.RedisEmptied)]
    [InlineData(Fault.RedisOutOfMemory)]
    [InlineData(Fault.RedisHangs)]
    [InlineData(Fault.RedisSlow)]
    public Task UnderLoad_BreaksAndHeals_NothingLostTwiceOrStale(Fault fault) => Outage.BreakAndHealAsync(fault);

    [Theory]
    [InlineData(Fault.RedisDown)]
    [InlineData(Fault.RedisEmptied)]
    [InlineData(Fault.RedisOutOfMemory)]
    [InlineData(Fault.RedisHangs)]
    [InlineData(Fault.RedisSlow)]
    public Task SigtermWhileBroken_ExitsZeroInTimeAndTheNextOneLosesNothing(Fault fault) => Outage.TerminateWhileBrokenAsync(fault);
}
