using Streaming.Worker.Stages;
using Xunit;

namespace Streaming.Worker.Tests.Stages;

public class PublishPaceTests
{
    private readonly ManualTime _time = new();

    [Theory]
    [InlineData(true, false, 100)] // caught up: each interval
    [InlineData(true, true, 1_000)] // the store is behind: larger parts
    [InlineData(false, false, 1_000)] // nothing to hand over: a look at what else is due
    public void IsDue_AfterTheIntervalOfTheSituation(bool hasChanges, bool isStoreBehind, int milliseconds)
    {
        var pace = new PublishPace(TimeSpan.FromMilliseconds(100), _time);
        _time.Advance(TimeSpan.FromMilliseconds(milliseconds - 1));
        Assert.False(pace.IsDue(hasChanges, isStoreBehind));
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.True(pace.IsDue(hasChanges, isStoreBehind));
        pace.Restart();
        Assert.False(pace.IsDue(hasChanges, isStoreBehind));
    }

    [Fact]
    public void IsDue_IntervalAboveASecond_IsKeptInEverySituation()
    {
        var pace = new PublishPace(TimeSpan.FromSeconds(5), _time);
        _time.Advance(TimeSpan.FromSeconds(4.9));
        Assert.False(pace.IsDue(hasChanges: true, isStoreBehind: true));
        Assert.False(pace.IsDue(hasChanges: false, isStoreBehind: false));
        _time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.True(pace.IsDue(hasChanges: true, isStoreBehind: true));
    }

    /// <summary>A batch that is trained on meanwhile does not count: only the hand-over itself.</summary>
    [Theory]
    [InlineData(5, 100)]
    [InlineData(25, 250)]
    [InlineData(200, 1_000)]
    public void IsDue_AfterAHandOver_LeavesNineTenthsOfTheTimeToTraining(int cost, int due)
    {
        var pace = new PublishPace(TimeSpan.FromMilliseconds(100), _time);
        pace.Restart();
        _time.Advance(TimeSpan.FromMilliseconds(cost));
        pace.HandedOver();
        _time.Advance(TimeSpan.FromMilliseconds(due - cost - 1));
        Assert.False(pace.IsDue(hasChanges: true, isStoreBehind: false));
        Assert.Equal(TimeSpan.FromMilliseconds(1), pace.Wait(hasChanges: true));
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.True(pace.IsDue(hasChanges: true, isStoreBehind: false));
    }

    /// <summary>A wait that has run out, because something is behind, must not become a wait of nothing: the thread would spin.</summary>
    [Fact]
    public void Wait_IsWhatIsLeft_AndNeverNothing()
    {
        var pace = new PublishPace(TimeSpan.FromMilliseconds(100), _time);
        Assert.Equal(TimeSpan.FromSeconds(1), pace.Wait(hasChanges: false));
        _time.Advance(TimeSpan.FromMilliseconds(30));
        Assert.Equal(TimeSpan.FromMilliseconds(70), pace.Wait(hasChanges: true));
        _time.Advance(TimeSpan.FromMilliseconds(500));
        Assert.Equal(TimeSpan.FromMilliseconds(100), pace.Wait(hasChanges: true));
    }
}
