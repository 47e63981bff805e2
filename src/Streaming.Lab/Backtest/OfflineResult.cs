using Streaming.Learning.Evaluation;

namespace Streaming.Lab.Backtest;

/// <summary>The result of a training run.</summary>
/// <param name="ValidationNdcg">NDCG@10 of the largest width on the validation cases at the kept epoch, history not masked.</param>
/// <param name="KeptEpoch">The epoch whose model is kept, from 1.</param>
/// <param name="Epochs">Number of epochs trained.</param>
/// <param name="Steps">Number of steps trained.</param>
/// <param name="Seconds">Total time in seconds.</param>
/// <param name="Unmasked">Test metrics of each width with that epoch's model, history included in the ranking.</param>
/// <param name="Masked">The same with the history's items excluded.</param>
internal sealed record OfflineResult(
    double ValidationNdcg,
    int KeptEpoch,
    int Epochs,
    long Steps,
    double Seconds,
    RankingMetrics[] Unmasked,
    RankingMetrics[] Masked
)
{
    /// <summary>Gets the processor time of the training steps, all threads, without ranking.</summary>
    public TimeSpan Training { get; init; }
}
