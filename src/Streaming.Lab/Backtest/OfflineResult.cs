using Streaming.Learning.Evaluation;

namespace Streaming.Lab.Backtest;

/// <summary>What a training run came to.</summary>
/// <param name="ValidationNdcg">NDCG@10 of the largest width on the validation cases at the epoch that was kept, history not masked.</param>
/// <param name="KeptEpoch">The epoch whose model counts, from 1.</param>
/// <param name="Epochs">Epochs trained.</param>
/// <param name="Steps">Steps trained.</param>
/// <param name="Seconds">Seconds of it all.</param>
/// <param name="Unmasked">Test metrics of each width with the model of that epoch, history ranked too.</param>
/// <param name="Masked">The same with the items of the history left out.</param>
internal sealed record OfflineResult(
    double ValidationNdcg,
    int KeptEpoch,
    int Epochs,
    long Steps,
    double Seconds,
    RankingMetrics[] Unmasked,
    RankingMetrics[] Masked);
