using Streaming.Worker.Failures;
using Streaming.Worker.Outputs;
using Xunit;

namespace Streaming.Worker.Tests.Outputs;

public class OutputFileTests
{
    [Fact]
    public void DiskFullAtTheEnd_Is74AndNamesTheFile()
    {
        OutputFileException full = Assert.Throws<OutputFileException>(() => OutputFile.Write("/dev/full", "report"));
        (ExitCode code, string message) = Failure.Explain(full);
        Assert.Equal(ExitCode.NotKept, code);
        Assert.StartsWith("'/dev/full' could not be written: No space left on device", message, StringComparison.Ordinal);
    }
}
