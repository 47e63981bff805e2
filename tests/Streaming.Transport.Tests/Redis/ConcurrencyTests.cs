using System.Diagnostics.CodeAnalysis;
using StackExchange.Redis;
using Streaming.Core.Embeddings;
using Streaming.Core.Refreshes;
using Streaming.Transport.Redis;
using Streaming.Transport.Redis.Publishing;
using Xunit;

namespace Streaming.Transport.Tests.Redis;

public sealed class ConcurrencyTests(RedisFixture redis) : IClassFixture<RedisFixture>
{
    private const int Items = 40;

    private readonly RedisOptions _options = redis.Options() with { Element = EmbeddingElement.Float32 };

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Readers_WhileItemsAreRewritten_SeeWholeVectorsThatNeverGoBack()
    {
        EmbeddingPublisher publisher = await OpenAsync(1);
        RedisKey[] keys = [.. Enumerable.Range(0, Items).Select(i => (RedisKey)Space.Key($"item{i}"))];
        using CancellationTokenSource done = new();
        Task<long>[] readers = [.. Enumerable.Range(0, 3).Select(_ => Task.Run(() => ReadUntilAsync(keys, done.Token), Stop))];
        for (int step = 1; step <= 300; step++)
        {
            List<Refresh> failed = [];
            await publisher.PublishAsync([.. Enumerable.Range(0, Items).Select(i => Constant(i, step))], failed, Stop);
            Assert.Empty(failed);
        }

        await done.CancelAsync();
        Assert.All(await Task.WhenAll(readers), seen => Assert.True(seen > Items));
    }

    [Fact]
    public async Task Writers_InAnyOrder_TheGreatestStepStays()
    {
        int[] steps = [.. Enumerable.Range(1, 200)];
        new Random(7).Shuffle(steps);
        EmbeddingPublisher[] publishers = [await OpenAsync(1), await OpenAsync(1), await OpenAsync(1), await OpenAsync(1)];
        PublishCounts[] counts = await Task.WhenAll(
            publishers.Select(
                (publisher, writer) =>
                    Task.Run(async () =>
                    {
                        PublishCounts total = default;
                        foreach (int step in steps.Where(step => step % publishers.Length == writer))
                        {
                            total += await publisher.PublishAsync([.. Enumerable.Range(0, Items).Select(i => Constant(i, step))], [], Stop);
                        }

                        return total;
                    })
            )
        );

        Assert.Equal(200 * Items, counts.Sum(count => count.Written + count.Skipped));
        Assert.True(counts.Sum(count => count.Skipped) > 0);
        for (int i = 0; i < Items; i++)
        {
            EmbeddingValue.Read(await redis.Database.StringGetAsync(Space.Key($"item{i}"))).Decode(_first);
            Assert.Equal(200, _first[0]);
        }
    }

    [Fact]
    public async Task Takeover_InTheMiddleOfPublishing_NothingOfTheOldTrainerFollows()
    {
        EmbeddingPublisher old = await OpenAsync(1);
        TaskCompletionSource first = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Task<FencedException> fenced = Task.Run(() => PublishUntilFencedAsync(old, first), Stop);
        await first.Task.WaitAsync(Stop);

        EmbeddingPublisher next = await OpenAsync(2);
        PublishCounts counts = await next.PublishAsync([.. Enumerable.Range(0, Items).Select(i => Constant(i, 1))], [], Stop);
        FencedException refused = await fenced;

        Assert.Equal(Items, counts.Written);
        Assert.Equal(2u, refused.Newer);
        for (int i = 0; i < Items; i++)
        {
            Assert.Equal(2u, EmbeddingValue.Read(await redis.Database.StringGetAsync(Space.Key($"item{i}"))).Stamp.Token);
        }
    }

    private readonly float[] _first = new float[1];

    private ItemKeySpace Space => new RedisKeys(_options.Model, _options.Partitions).Items(1);

    /// <summary>An item whose values all equal its step, so that mixed halves of two vectors would show.</summary>
    private static Refresh Constant(int item, int step) =>
        new(Make.Key($"item{item}"), $"item{item}", [.. Enumerable.Repeat((float)step, 16)], step, 0, 0);

    private static async Task<FencedException> PublishUntilFencedAsync(EmbeddingPublisher publisher, TaskCompletionSource first)
    {
        for (int step = 1; ; step++)
        {
            try
            {
                await publisher.PublishAsync([.. Enumerable.Range(0, Items).Select(i => Constant(i, step))], [], Stop);
                first.TrySetResult();
            }
            catch (FencedException error)
            {
                return error;
            }
        }
    }

    [SuppressMessage("Reliability", "CA2016", Justification = "The token says that the writer is done, not that a read should be dropped.")]
    private async Task<long> ReadUntilAsync(RedisKey[] keys, CancellationToken done)
    {
        long seen = 0;
        float[] vector = new float[16];
        long[] newest = new long[keys.Length];
        while (!done.IsCancellationRequested || seen <= keys.Length)
        {
            RedisValue[] values = await redis.Database.StringGetAsync(keys);
            for (int i = 0; i < keys.Length; i++)
            {
                if (!values[i].IsNull)
                {
                    EmbeddingView view = EmbeddingValue.Read((byte[]?)values[i]);
                    view.Decode(vector);
                    Assert.All(vector, number => Assert.Equal(vector[0], number));
                    Assert.Equal(view.Stamp.Step, (long)vector[0]);
                    Assert.True(view.Stamp.Step >= newest[i]);
                    newest[i] = view.Stamp.Step;
                    seen++;
                }
            }
        }

        return seen;
    }

    private async Task<EmbeddingPublisher> OpenAsync(uint token)
    {
        EmbeddingPublisher publisher = new(redis.Database, _options, Make.Widths, TimeProvider.System);
        await publisher.OpenAsync(1, token, Stop);
        return publisher;
    }
}
