using Streaming.Worker.Stages;
using Xunit;

namespace Streaming.Worker.Tests.Stages;

public class PublishPaceTests
{
    private readonly ManualTime _time = new();

    [Theory]
    [InlineData(true, false, 100)] // caught up: each interval
    [InlineData(true, true, 1_000)] // trainer or store behind: larger parts
    [InlineData(false, false, 1_000)] // nothing to hand over: a look at what else is due
    public void IsDue_AfterTheIntervalOfTheSituation(bool hasChanges, bool isBehind, int milliseconds)
    {
        var pace = new PublishPace(TimeSpan.FromMilliseconds(100), _time);
        _time.Advance(TimeSpan.FromMilliseconds(milliseconds - 1));
        Assert.False(pace.IsDue(hasChanges, isBehind));
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.True(pace.IsDue(hasChanges, isBehind));
        pace.Restart();
        Assert.False(pace.IsDue(hasChanges, isBehind));
    }

    [Fact]
    public void IsDue_IntervalAboveASecond_IsKeptInEverySituation()
    {
        var pace = new PublishPace(TimeSpan.FromSeconds(5), _time);
        _time.Advance(TimeSpan.FromSeconds(4.9));
        Assert.False(pace.IsDue(hasChanges: true, isBehind: true));
        Assert.False(pace.IsDue(hasChanges: false, isBehind: false));
        _time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.True(pace.IsDue(hasChanges: true, isBehind: true));
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
