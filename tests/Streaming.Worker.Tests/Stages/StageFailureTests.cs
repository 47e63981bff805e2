using Streaming.Worker.Failures;
using Streaming.Worker.Stages;
using Streaming.Worker.Tests.Faults;
using Xunit;

namespace Streaming.Worker.Tests.Stages;

public sealed class StageFailureTests : IDisposable
{
    private readonly RecordingLoggers _log = new();

    public void Dispose() => _log.Dispose();

    [Fact]
    public void Log_ExpectedFailure_IsOneLineWithoutStack()
    {
        StageFailure.Log(_log, "source", Thrown(new LeaseLostException("m")));

        Assert.Contains("source", _log.Text, StringComparison.Ordinal);
        Assert.Contains("another worker has taken the lease of model \"m\"", _log.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", _log.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Log_Defect_ShowsItsStack()
    {
        StageFailure.Log(_log, "trainer", Thrown(new InvalidOperationException("a defect")));

        Assert.Contains("The trainer failed", _log.Text, StringComparison.Ordinal);
        Assert.Contains("a defect", _log.Text, StringComparison.Ordinal);
        Assert.Contains("   at ", _log.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Log_OutOfMemory_NamesTheSettingsThatCount()
    {
        StageFailure.Log(_log, "trainer", Thrown(new InsufficientMemoryException()));

        Assert.Contains("STREAMING__Model__ItemCapacity", _log.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", _log.Text, StringComparison.Ordinal);
    }

    private static Exception Thrown(Exception exception)
    {
        try
        {
            throw exception;
        }
        catch (Exception thrown)
        {
            return thrown;
        }
    }
}
