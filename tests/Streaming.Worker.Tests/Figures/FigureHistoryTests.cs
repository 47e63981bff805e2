using Streaming.Learning.Training;
using Streaming.Worker.Figures;
using Streaming.Worker.Metrics;
using Streaming.Worker.Tests.Stages;
using Xunit;

namespace Streaming.Worker.Tests.Figures;

public sealed class FigureHistoryTests
{
    private readonly ManualTime _time = new();
    private PipelineStatus? _status;

    [Fact]
    public void History_OfTwoDays_KeepsAQuarterOfAnHourBySecondAndADayByMinute()
    {
        var history = new FigureHistory(() => _status, _time);
        Run(history, TimeSpan.FromDays(2), second => Reading(second));

        IReadOnlyList<FigureSample> seconds = history.BySecond(default),
            minutes = history.ByMinute(default);
        Assert.Equal(FigureHistory.Seconds, seconds.Count);
        Assert.Equal(FigureHistory.Minutes, minutes.Count);
        Assert.Equal(_time.GetUtcNow(), seconds[^1].At);
        Assert.Equal(FigureHistory.Seconds - 1, seconds[^1].Read - seconds[0].Read);
        Assert.Equal((FigureHistory.Minutes - 1) * 60, minutes[^1].Read - minutes[0].Read);
    }

    [Fact]
    public void Minute_ShowsTheWorstLagWithinItAndTheValuesAtItsEnd()
    {
        var history = new FigureHistory(() => _status, _time);
        Run(history, TimeSpan.FromSeconds(130), second => Reading(second, lag: second == 30 ? 500 : 1));

        FigureSample first = history.ByMinute(default)[0],
            second = history.ByMinute(default)[1];
        Assert.Equal((500, 59), (first.Lag, first.Read));
        Assert.Equal((1, 119), (second.Lag, second.Read));
    }

    [Fact]
    public void Samples_AfterATime_AreTheNewerOnes()
    {
        var history = new FigureHistory(() => _status, _time);
        Run(history, TimeSpan.FromSeconds(10), second => Reading(second));

        Assert.Equal([8, 9, 10], history.BySecond(_time.GetUtcNow() - TimeSpan.FromSeconds(3)).Select(sample => sample.Read));
        Assert.Empty(history.BySecond(_time.GetUtcNow()));
    }

    [Fact]
    public void Samples_AfterTheMillisecondOfOne_LeaveItOut()
    {
        var history = new FigureHistory(() => _status, _time);
        _time.Advance(TimeSpan.FromMicroseconds(300));
        Run(history, TimeSpan.FromSeconds(2), second => Reading(second));

        long first = history.BySecond(default)[0].At.ToUnixTimeMilliseconds();

        Assert.Equal([2], history.BySecond(DateTimeOffset.FromUnixTimeMilliseconds(first)).Select(sample => sample.Read));
    }

    [Fact]
    public void NoPipeline_LeavesNoSample()
    {
        var history = new FigureHistory(() => _status, _time);
        Run(history, TimeSpan.FromSeconds(5), _ => null);
        Run(history, TimeSpan.FromSeconds(5), _ => PipelineStatus.Empty);

        Assert.Empty(history.BySecond(default));
    }

    [Fact]
    public async Task Start_TakesSamplesByItselfUntilDisposed()
    {
        _status = Reading(7);
        var history = new FigureHistory(() => _status, TimeProvider.System);
        using (history.Start())
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
            while (history.BySecond(default).Count == 0)
            {
                await Task.Delay(20, limit.Token);
            }
        }

        Assert.Equal(7, history.BySecond(default)[0].Read);
    }

    [Fact]
    public void Baseline_IsTheStrongestSimpleMethod()
    {
        TrainerStatus trainer = new()
        {
            Widths = [4, 8],
            Recall = [Recall(0.1), Recall(0.2)],
            Popularity = Recall(0.05),
            Sources =
            [
                new("item-knn", Recall(0.15)),
                new("counts", Recall(0.3)),
                new("fused 4", Recall(0.35)),
                new("fused 8", Recall(0.4)),
            ],
        };

        var sample = FigureSample.Of(PipelineStatus.Empty with { Trainer = trainer }, default);

        Assert.Equal(("counts", 0.3), (sample.Baseline, sample.RecallBaseline));
        Assert.Equal(0.4, sample.RecallFused);
        Assert.Equal([0.1, 0.2], sample.Recall);
    }

    [Fact]
    public void Baseline_BeforeTheFirstExample_IsUnknown()
    {
        var sample = FigureSample.Of(PipelineStatus.Empty, default);

        Assert.Equal(string.Empty, sample.Baseline);
        Assert.True(double.IsNaN(sample.RecallBaseline) && double.IsNaN(sample.RecallFused) && double.IsNaN(sample.FreshnessP99));
    }

    private void Run(FigureHistory history, TimeSpan duration, Func<int, PipelineStatus?> status)
    {
        for (int second = 1; second <= duration.TotalSeconds; second++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            _status = status(second);
            history.Take();
        }
    }

    private static SegmentRecall Recall(double recall) => new(recall, 0, 0, 0, 0, 0, 0, 100);

    private static PipelineStatus Reading(long read, long lag = 0) =>
        PipelineStatus.Empty with
        {
            Counts = new() { Read = read },
            Source = PipelineStatus.Empty.Source with { Partitions = [new("interactions", 0, lag)] },
        };
}
