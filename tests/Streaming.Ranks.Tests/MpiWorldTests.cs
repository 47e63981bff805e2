using Streaming.Learning.Ranks;
using Streaming.Ranks.Native;
using Xunit;

namespace Streaming.Ranks.Tests;

public sealed class MpiWorldTests
{
    [Fact]
    public void Join_WithoutALauncher_IsAWorldOfOne()
    {
        using Collective ranks = MpiWorld.Join(_ => null);
        Assert.IsType<SoloCollective>(ranks);
    }

    [Fact]
    public async Task Join_WithoutALauncher_DoesNotLoadOpenMpi()
    {
        (int code, string output) = await Job.RunAloneAsync("contract", ("LD_DEBUG", "files"));
        Assert.True(code == 0, output);
        Assert.Contains("rank 0 of 1 keeps the contract", output, StringComparison.Ordinal);
        Assert.Contains("libc.so.6", output, StringComparison.Ordinal);
        Assert.DoesNotContain("libmpi", output, StringComparison.Ordinal);
    }

    // As under the mpirun of MPICH: every process would train a model of its own.
    [Fact]
    public async Task Join_LauncherOfAnotherMpi_IsRefused()
    {
        (int code, string output) = await Job.RunAloneAsync("contract", ("PMI_SIZE", "4"), ("PMI_RANK", "0"));
        Assert.NotEqual(0, code);
        Assert.Contains("started 4 processes (PMI_SIZE), Open MPI joined 1", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_LibraryIsMissing_SaysWhatToInstall()
    {
        RanksException error = Assert.Throws<RanksException>(() => MpiWorld.Load(() => OpenMpi.Load("libmpi.so.missing")));
        Assert.Contains("libmpi.so.missing", error.Message, StringComparison.Ordinal);
        Assert.Contains("openmpi-bin", error.Message, StringComparison.Ordinal);
    }
}
