using Streaming.Core.Options;
using Streaming.Formats.Files;
using Streaming.Worker.Failures;

namespace Streaming.Lab.Backtest;

/// <summary>
/// When a model is retrained: at multiples of an interval of event time after the first event. A moment without events since the
/// one before is left out.
/// </summary>
internal sealed class RetrainSchedule
{
    private static readonly long Day = (long)TimeSpan.FromDays(1).TotalMilliseconds;
    private readonly long _start;
    private readonly long _every;

    /// <summary>Creates the schedule of a stream.</summary>
    /// <param name="events">The records, sorted by time.</param>
    /// <param name="every">The interval, at least a millisecond.</param>
    /// <exception cref="SettingsException">The stream ends before the first training.</exception>
    public RetrainSchedule(EventLog events, TimeSpan every)
    {
        Every = every;
        _every = (long)every.TotalMilliseconds;
        _start = events.Count > 0 ? events[0].Time : 0;
        var trainings = new List<Training>();
        long last = 0;
        for (int record = 0; record < events.Count; record++)
        {
            long number = (events[record].Time - _start) / _every;
            if (number > last)
            {
                trainings.Add(new Training(record, _start + (number * _every)));
                last = number;
            }
        }

        Trainings = trainings;
        if (trainings.Count == 0)
        {
            var span = TimeSpan.FromMilliseconds(events.Count > 0 ? events[^1].Time - _start : 0);
            throw new SettingsException([
                $"STREAMING__Retrain__Every (--retrain) is {OptionText.Format(every)}, and the events span {span.TotalDays:0.##} days: no "
                    + "training would take place; allowed: an interval that is shorter than the events' span.",
            ]);
        }
    }

    /// <summary>Gets the interval.</summary>
    public TimeSpan Every { get; }

    /// <summary>Gets the trainings, at least one.</summary>
    public IReadOnlyList<Training> Trainings { get; }

    /// <summary>Gets the number of days between trainings, rounded up.</summary>
    public int Days => (int)((_every + Day - 1) / Day);

    /// <summary>Returns the number of whole days since the last training, 0 … <see cref="Days"/> − 1.</summary>
    /// <param name="time">Time of an event after the first training, Unix milliseconds.</param>
    public int DayOf(long time) => (int)((time - _start) % _every / Day);

    /// <summary>One training.</summary>
    /// <param name="Record">Index of the first record at or after the moment: batches end before it.</param>
    /// <param name="Moment">The moment, Unix milliseconds: only earlier events are trained on.</param>
    internal readonly record struct Training(int Record, long Moment);
}
