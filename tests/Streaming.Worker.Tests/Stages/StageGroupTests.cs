using Streaming.Worker.Stages;
using Xunit;

namespace Streaming.Worker.Tests.Stages;

public sealed class StageGroupTests : IDisposable
{
    private readonly CancellationTokenSource _outside = new();
    private readonly List<string> _failures = [];

    public void Dispose() => _outside.Dispose();

    [Fact]
    public async Task WaitAsync_AllStagesEnd_Returns()
    {
        using StageGroup group = Create();
        var first = new TaskCompletionSource();
        Task waiting = group.Start("first", _ => first.Task);
        await group.Start("second", static _ => Task.CompletedTask);
        Assert.False(waiting.IsCompleted);

        first.SetResult();
        await group.WaitAsync();

        Assert.Empty(_failures);
        Assert.False(group.Abort.IsCancellationRequested);
    }

    [Fact]
    public async Task WaitAsync_OneStageFails_EndsTheOthersAndThrowsItsError()
    {
        using StageGroup group = Create();
        bool ended = false;
        var start = new TaskCompletionSource();
        Task other = group.Start(
            "other",
            async abort =>
            {
                try
                {
                    await Task.Delay(Timeout.Infinite, abort);
                }
                finally
                {
                    ended = true;
                }
            }
        );
        Task failing = group.Start(
            "failing",
            async _ =>
            {
                await start.Task;
                throw new InvalidDataException("the cause");
            }
        );

        start.SetResult();

        InvalidDataException thrown = await Assert.ThrowsAsync<InvalidDataException>(group.WaitAsync);
        Assert.Equal("the cause", thrown.Message);
        Assert.True(ended);
        Assert.Equal(["failing: the cause"], _failures);
        await Task.WhenAll(other, failing); // a stage's own task never fails: the group says why
    }

    /// <summary>What a stage throws because it is being ended is a consequence, not the cause.</summary>
    [Fact]
    public async Task WaitAsync_OtherStagesFailWhileTheyAreEnded_ThrowsTheFirstErrorOnly()
    {
        using StageGroup group = Create();
        _ = group.Start(
            "other",
            static async abort =>
            {
                await Task.Delay(Timeout.Infinite, abort).ContinueWith(static _ => { }, TaskScheduler.Default);
                throw new IOException("a consequence");
            }
        );
        _ = group.Start("failing", static _ => Task.FromException(new InvalidDataException("the cause")));

        await Assert.ThrowsAsync<InvalidDataException>(group.WaitAsync);

        Assert.Equal(["failing: the cause"], _failures);
    }

    [Fact]
    public async Task Start_StageThatThrowsAtOnce_IsAFailureOfTheStage()
    {
        using StageGroup group = Create();

        Task stage = group.Start("eager", static _ => throw new InvalidDataException("at once"));

        await stage;
        await Assert.ThrowsAsync<InvalidDataException>(group.WaitAsync);
        Assert.Equal(["eager: at once"], _failures);
    }

    [Fact]
    public async Task WaitAsync_EndedFromOutside_IsNoFailure()
    {
        using StageGroup group = Create();
        _ = group.Start("endless", static abort => Task.Delay(Timeout.Infinite, abort));

        await _outside.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(group.WaitAsync);
        Assert.Empty(_failures);
    }

    /// <summary>A stage that ends well while it is being ended is not taken for one that goes on.</summary>
    [Fact]
    public async Task WaitAsync_EndedFromOutsideAndEveryStageEndsWell_StillSaysThatItWasEnded()
    {
        using StageGroup group = Create();
        _ = group.Start("polite", static abort => Task.Delay(Timeout.Infinite, abort).ContinueWith(static _ => { }, TaskScheduler.Default));

        await _outside.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(group.WaitAsync);
        Assert.Empty(_failures);
    }

    private StageGroup Create() => new((name, error) => _failures.Add($"{name}: {error.Message}"), _outside.Token);
}
