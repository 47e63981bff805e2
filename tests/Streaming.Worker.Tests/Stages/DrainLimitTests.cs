using Streaming.Worker.Stages;
using Xunit;

namespace Streaming.Worker.Tests.Stages;

public sealed class DrainLimitTests
{
    private static readonly TimeSpan Long = TimeSpan.FromHours(1);
    private int _left;

    private static CancellationToken NoAbort => TestContext.Current.CancellationToken;

    [Fact]
    public async Task RunAsync_EverythingIsPublished_LeavesNothing()
    {
        var upstream = new TaskCompletionSource();
        var published = new TaskCompletionSource();
        Task running = DrainLimit.RunAsync(upstream.Task, stop => published.Task.WaitAsync(stop), Long, OnLeft, NoAbort);
        upstream.SetResult();
        Assert.False(running.IsCompleted);

        published.SetResult();
        await running;

        Assert.Equal(0, _left);
    }

    [Fact]
    public async Task RunAsync_UpstreamRuns_HasNoLimit()
    {
        var upstream = new TaskCompletionSource();
        CancellationToken given = default;
        Task running = DrainLimit.RunAsync(upstream.Task, Publish, TimeSpan.FromMilliseconds(1), OnLeft, NoAbort);
        await Task.Delay(50, TestContext.Current.CancellationToken);
        Assert.False(given.IsCancellationRequested);
        Assert.Equal(0, _left);

        upstream.SetResult();
        await running;

        Assert.True(given.IsCancellationRequested);
        Assert.Equal(1, _left);

        Task Publish(CancellationToken stop)
        {
            given = stop;
            return Task.Delay(Timeout.Infinite, stop);
        }
    }

    [Fact]
    public async Task RunAsync_Aborted_ThrowsWithoutCountingWhatIsLeft()
    {
        using var abort = new CancellationTokenSource();
        Task running = DrainLimit.RunAsync(
            Task.CompletedTask,
            static stop => Task.Delay(Timeout.Infinite, stop),
            Long,
            OnLeft,
            abort.Token
        );

        await abort.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        Assert.Equal(0, _left);
    }

    [Fact]
    public async Task RunAsync_PublishingFails_ThrowsItsError()
    {
        var upstream = new TaskCompletionSource();

        InvalidDataException thrown = await Assert.ThrowsAsync<InvalidDataException>(() =>
            DrainLimit.RunAsync(upstream.Task, static _ => Task.FromException(new InvalidDataException("the cause")), Long, OnLeft, NoAbort)
        );

        Assert.Equal("the cause", thrown.Message);
        Assert.Equal(0, _left);
    }

    private void OnLeft() => _left++;
}
