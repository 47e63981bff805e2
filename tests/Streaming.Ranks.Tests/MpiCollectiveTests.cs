using Streaming.Learning.Ranks;
using Xunit;

namespace Streaming.Ranks.Tests;

/// <summary>Real processes under mpirun.</summary>
public sealed class MpiCollectiveTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Processes_KeepTheContract(int ranks)
    {
        (int code, string output) = await Job.RunAsync(ranks, "contract");
        Assert.True(code == 0, output);
        for (int rank = 0; rank < ranks; rank++)
        {
            Assert.Contains($"rank {rank} of {ranks} keeps the contract", output, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Steps_OfProcesses_HaveTheBitsOfThreads(int ranks)
    {
        string[] digests = new string[ranks];
        InProcessRanks.Run(ranks, thread => digests[thread.Rank] = SharedSteps.Run(thread));
        (int code, string output) = await Job.RunAsync(ranks, "steps");
        Assert.True(code == 0, output);
        Assert.All(digests, digest => Assert.Equal(digests[0], digest));
        for (int rank = 0; rank < ranks; rank++)
        {
            Assert.Contains($"rank {rank}: {digests[0]}", output, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("exit", 3)]
    [InlineData("kill", 137)]
    [InlineData("throw", 134)]
    public async Task ARankEnds_WhileOthersWait_EndsTheJobWithItsCode(string how, int expected)
    {
        (int code, string output) = await Job.RunAsync(3, how);
        Assert.True(code == expected, $"{code}: {output}");
        Assert.Equal(how == "throw", output.Contains("rank 1 has a reason", StringComparison.Ordinal));
    }

    [Fact]
    public async Task NullReference_AfterJoining_IsAnException()
    {
        (int code, string output) = await Job.RunAsync(2, "null");
        Assert.True(code == 0, output);
        Assert.Contains("rank 1 caught it", output, StringComparison.Ordinal);
    }
}
