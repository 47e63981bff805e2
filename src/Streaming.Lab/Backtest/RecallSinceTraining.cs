using Streaming.Core.Ingestion;
using Streaming.Learning.Evaluation;

namespace Streaming.Lab.Backtest;

/// <summary>A model's ranking metrics by the number of days since the last scheduled training.</summary>
/// <param name="schedule">The trainings.</param>
/// <param name="measures">What is measured; skips the examples before the first training.</param>
internal sealed class RecallSinceTraining(RetrainSchedule schedule, PrequentialOptions measures)
{
    private readonly RankingMetrics[] _all = [.. Enumerable.Range(0, schedule.Days).Select(_ => new RankingMetrics(measures.Cutoffs))];
    private readonly RankingMetrics[] _newItems = [.. Enumerable.Range(0, schedule.Days).Select(_ => new RankingMetrics(measures.Cutoffs))];

    private long _examples;

    /// <summary>Gets the metrics of all examples of each day.</summary>
    public IReadOnlyList<RankingMetrics> All => _all;

    /// <summary>Gets the metrics of new items of each day.</summary>
    public IReadOnlyList<RankingMetrics> NewItems => _newItems;

    /// <summary>Adds the examples of a batch.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="ranks">Rank of each example; empty when the batch was not scored.</param>
    public void Add(Batch batch, ReadOnlySpan<TiedRank> ranks)
    {
        for (int i = 0; i < ranks.Length; i++)
        {
            if (_examples++ < measures.SkipExamples)
            {
                continue;
            }

            int day = schedule.DayOf(batch.EventTimes[i]);
            _all[day].Add(ranks[i]);
            if (!batch.IsRepeat[i])
            {
                _newItems[day].Add(ranks[i]);
            }
        }
    }
}
