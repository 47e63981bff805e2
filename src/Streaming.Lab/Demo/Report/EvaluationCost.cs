namespace Streaming.Lab.Demo.Report;

/// <summary>What the figures and the counts cost.</summary>
/// <param name="Share">Time of scoring over the time of the run, 0 … 1.</param>
/// <param name="CountBytes">Memory of the counts.</param>
/// <param name="CountsLost">Share of the counted weight that the bounded lists could not keep, 0 … 1.</param>
internal sealed record EvaluationCost(double Share, long CountBytes, double CountsLost);
