using Streaming.Worker.Failures;
using Xunit;

namespace Streaming.Worker.Tests.Faults;

public sealed class DiskOutageTests
{
    [Theory]
    [InlineData(Fault.CheckpointFolderGone)]
    [InlineData(Fault.DiskFull)]
    public Task UnderLoad_BreaksAndHeals_NothingLostTwiceOrStale(Fault fault) => Outage.BreakAndHealAsync(fault);

    [Theory]
    [InlineData(Fault.CheckpointFolderGone)]
    [InlineData(Fault.DiskFull)]
    public Task SigtermWhileBroken_EndsInTimeSaysThatTheLastCheckpointIsMissingAndTheNextOneLosesNothing(Fault fault) =>
        Outage.TerminateWhileBrokenAsync(fault, ExitCode.NotKept);
}
