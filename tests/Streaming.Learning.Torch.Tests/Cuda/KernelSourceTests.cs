using Streaming.Learning.Torch.Cuda;
using Xunit;

namespace Streaming.Learning.Torch.Tests.Cuda;

public class KernelSourceTests
{
    [Fact]
    public void Nested_File_ListsItsKernelsByName()
    {
        var source = KernelSource.Nested(["Rows.cuh", "Tower.cu"], [4, 16], "EXTRA=1");

        Assert.Equal(
            [
                "join_forward",
                "start_forward",
                "join_backward",
                "gate_forward",
                "gate_backward",
                "add_parts",
                "scan_forward",
                "scan_backward",
                "scan_finish",
            ],
            source.Functions
        );
        Assert.Equal(["WIDTHS=4,16", "K=2", "EXTRA=1"], source.Macros);
    }

    [Fact]
    public void Read_NoSuchFile_NamesIt()
    {
        InvalidOperationException error = Assert.Throws<InvalidOperationException>(() => KernelSource.Read("Missing.cu"));

        Assert.Equal("The assembly has no resource Cuda.Missing.cu.", error.Message);
    }
}
