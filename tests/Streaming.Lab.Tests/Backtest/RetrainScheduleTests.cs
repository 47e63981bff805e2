using Streaming.Formats.Files;
using Streaming.Lab.Backtest;
using Streaming.Worker.Failures;
using Xunit;

namespace Streaming.Lab.Tests.Backtest;

public class RetrainScheduleTests
{
    private const long Start = 1_000_000_000_000;
    private const long Day = 86_400_000;

    [Fact]
    public void Trainings_AreBeforeTheFirstRecordAtOrAfterEachMoment()
    {
        var schedule = new RetrainSchedule(Events(0, Day - 1, Day, Day + 1, (2 * Day) + 5), TimeSpan.FromDays(1));
        Assert.Equal([(2, Start + Day), (4, Start + (2 * Day))], schedule.Trainings.Select(training => (training.Record, training.Moment)));
    }

    [Fact]
    public void Trainings_MomentsWithoutEventsBetween_AreOneTraining()
    {
        var schedule = new RetrainSchedule(Events(0, (7 * Day) + 1), TimeSpan.FromDays(2));
        Assert.Equal([(1, Start + (6 * Day))], schedule.Trainings.Select(training => (training.Record, training.Moment)));
        Assert.Equal(1, schedule.DayOf(Start + (7 * Day) + 1));
    }

    [Theory]
    [InlineData(7 * 24, 7, 13.5, 6)]
    [InlineData(7 * 24, 7, 14, 0)]
    [InlineData(36, 2, 2.6, 1)]
    [InlineData(6, 1, 2.6, 0)]
    public void DayOf_Event_IsTheWholeDaysSinceTheLastMoment(int hours, int days, double at, int day)
    {
        var schedule = new RetrainSchedule(Events(0, 20 * Day), TimeSpan.FromHours(hours));
        Assert.Equal(days, schedule.Days);
        Assert.Equal(day, schedule.DayOf(Start + (long)(at * Day)));
    }

    [Fact]
    public void Create_StreamEndsBeforeTheFirstTraining_SaysTheIntervalAndTheSpan()
    {
        SettingsException error = Assert.Throws<SettingsException>(() =>
            new RetrainSchedule(Events(0, (3 * Day) + (Day / 2)), TimeSpan.FromDays(7))
        );
        Assert.Contains("--retrain) is 7d, and the events span 3.5 days", Assert.Single(error.Errors), StringComparison.Ordinal);
    }

    private static EventLog Events(params long[] times)
    {
        var events = new EventLog();
        foreach (long time in times)
        {
            events.Add("u", "i", Start + time, "view");
        }

        return events;
    }
}
