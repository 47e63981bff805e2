using Streaming.Kernels.Parallel;
using Xunit;

namespace Streaming.Kernels.Tests.Parallel;

public class WorkersTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void Run_ManyJobs_EveryPartRunsOnce(int threads)
    {
        using Workers workers = new(threads);
        int[] counts = new int[97];
        for (int job = 0; job < 3000; job++)
        {
            Job state = new() { Counts = counts };
            workers.Run(job % 98, ref state, static (ref Job state, int part, int worker) => Interlocked.Increment(ref state.Counts[part]));
        }

        // Part p runs in every job with more than p parts.
        int[] expected = [.. Enumerable.Range(0, 97).Select(part => Enumerable.Range(0, 3000).Count(job => job % 98 > part))];
        Assert.Equal(expected, counts);
    }

    [Fact]
    public void Run_CollectionsMoveTheArrays_PartsStillReachThem()
    {
        using Workers workers = new(2);
        for (int round = 0; round < 50; round++)
        {
            int[] values = new int[1000];
            Job state = new() { Counts = values };
            workers.Run(
                8,
                ref state,
                static (ref Job state, int part, int worker) =>
                {
                    for (int i = part; i < state.Counts.Length; i += 8)
                    {
                        if (i % 100 == part)
                        {
                            GC.Collect(0, GCCollectionMode.Forced, blocking: true);
                        }

                        state.Counts[i] = i;
                    }
                }
            );
            Assert.Equal(Enumerable.Range(0, 1000), values);
        }
    }

    [Fact]
    public void Run_StateInAnObjectThatIsMoved_EveryPartReachesIt()
    {
        using Workers workers = new(2);
        for (int round = 0; round < 50; round++)
        {
            // Garbage before it makes a collection move the holder.
            byte[][] garbage = [.. Enumerable.Range(0, 100).Select(static _ => new byte[1000])];
            Holder holder = new();
            GC.KeepAlive(garbage);
            workers.Run(
                8,
                ref holder.Sum,
                static (ref long sum, int part, int worker) =>
                {
                    GC.Collect(0, GCCollectionMode.Forced, blocking: true);
                    Interlocked.Add(ref sum, part);
                }
            );

            Assert.Equal(28, holder.Sum);
        }
    }

    [Fact]
    public void Run_AfterAPause_WakesSleepingHelpers()
    {
        using Workers workers = new(3);
        for (int round = 0; round < 5; round++)
        {
            // Long enough for the helpers to stop spinning; that is the case under test, not a wait for an event.
            Thread.Sleep(5);
            int[] counts = new int[64];
            Job state = new() { Counts = counts };
            workers.Run(64, ref state, static (ref Job state, int part, int worker) => state.Counts[part] += worker < 3 ? 1 : 100);
            Assert.All(counts, count => Assert.Equal(1, count));
        }
    }

    [Fact]
    public void Run_PartThrows_ThrowsOnTheCallerAfterAllPartsAndStaysUsable()
    {
        using Workers workers = new(2);
        int[] counts = new int[16];
        InvalidOperationException thrown = Assert.Throws<InvalidOperationException>(() =>
        {
            Job state = new() { Counts = counts };
            workers.Run(
                16,
                ref state,
                static (ref Job state, int part, int worker) =>
                {
                    state.Counts[part]++;
                    if (part == 7)
                    {
                        throw new InvalidOperationException("part 7");
                    }
                }
            );
        });
        Assert.Equal("part 7", thrown.Message);
        Assert.All(counts, count => Assert.Equal(1, count));

        Job again = new() { Counts = counts };
        workers.Run(16, ref again, static (ref Job state, int part, int worker) => state.Counts[part]++);
        Assert.All(counts, count => Assert.Equal(2, count));
    }

    [Fact]
    public void Run_SteadyState_AllocatesNothing()
    {
        using Workers workers = new(2);
        int[] counts = new int[16];
        void Run()
        {
            for (int i = 0; i < 100; i++)
            {
                Job state = new() { Counts = counts };
                workers.Run(16, ref state, static (ref Job state, int part, int worker) => state.Counts[part]++);
            }
        }

        Assert.Equal(0, Allocations.OfARun(Run));
    }

    [Theory]
    [InlineData(0, 4, 1)]
    [InlineData(100, 16, 8)]
    [InlineData(7, 16, 1)]
    [InlineData(2147483000, 16, 16)]
    public void Begin_AllParts_CoverTheItemsInOrder(int items, int parts, int granularity)
    {
        Assert.Equal(0, Workers.Begin(items, parts, 0, granularity));
        Assert.Equal(items, Workers.Begin(items, parts, parts, granularity));
        for (int part = 0; part < parts; part++)
        {
            Assert.True(Workers.Begin(items, parts, part, granularity) <= Workers.Begin(items, parts, part + 1, granularity));
        }
    }

    private ref struct Job
    {
        public Span<int> Counts;
    }

    private sealed class Holder
    {
        public long Sum;
    }
}
