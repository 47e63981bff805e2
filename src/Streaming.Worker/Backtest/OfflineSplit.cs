namespace Streaming.Worker.Backtest;

/// <summary>A data set cut into what is trained on, what early stopping looks at, and what is reported.</summary>
/// <param name="Train">Training sequences.</param>
/// <param name="Validation">Cases for early stopping and the choice of settings.</param>
/// <param name="Test">Cases that are reported, and decide nothing.</param>
/// <param name="ItemCount">Items of the catalogue, all of which are ranked.</param>
internal sealed record OfflineSplit(JaggedList Train, RankingCases Validation, RankingCases Test, int ItemCount);
