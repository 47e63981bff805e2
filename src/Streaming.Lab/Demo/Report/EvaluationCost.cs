namespace Streaming.Lab.Demo.Report;

/// <summary>The cost of evaluation and counting.</summary>
/// <param name="Share">Scoring time divided by run time, 0 … 1.</param>
/// <param name="CountBytes">Memory used by the counts, in bytes.</param>
/// <param name="CountsLost">Share of the counted weight dropped by the bounded lists, 0 … 1.</param>
internal sealed record EvaluationCost(double Share, long CountBytes, double CountsLost);
