using Streaming.Learning.Ranks;
using Streaming.Tests;
using Xunit;

namespace Streaming.Learning.Tests.Ranks;

public sealed class InProcessRanksTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(7)]
    public void Run_Ranks_KeepTheContract(int size)
    {
        int done = 0;
        InProcessRanks.Run(
            size,
            ranks =>
            {
                CollectiveContract.Verify(ranks);
                Interlocked.Increment(ref done);
            }
        );
        Assert.Equal(size, done);
    }

    [Fact]
    public void Run_ARankFails_EndsAllAndRethrows()
    {
        int left = 0;
        InvalidDataException error = Assert.Throws<InvalidDataException>(() =>
            InProcessRanks.Run(
                3,
                ranks =>
                {
                    ranks.Barrier();
                    if (ranks.Rank == 1)
                    {
                        throw new InvalidDataException("rank 1");
                    }

                    try
                    {
                        ranks.Barrier();
                    }
                    finally
                    {
                        Interlocked.Increment(ref left);
                    }
                }
            )
        );
        Assert.Equal(("rank 1", 2), (error.Message, left));
    }

    [Fact]
    public void Exchange_CountsThatDoNotMatch_IsRefused()
    {
        InvalidOperationException error = Assert.Throws<InvalidOperationException>(() =>
            InProcessRanks.Run(2, ranks => ranks.Exchange<byte>([1, 2], [1, 1], new byte[3], [1, 2]))
        );
        Assert.Contains("which expects 2", error.Message, StringComparison.Ordinal);
    }
}
