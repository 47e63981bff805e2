namespace Streaming.Worker.Figures;

/// <summary>Samples as columns, for JSON: a list for each figure, with null for what is not known. Times are Unix milliseconds.</summary>
internal static class FigureColumns
{
    private const int Digits = 5;

    /// <summary>Turns samples into columns. Only samples of the newest shape of the model have values by width.</summary>
    /// <param name="samples">Oldest first.</param>
    public static object Of(IReadOnlyList<FigureSample> samples)
    {
        IReadOnlyList<int> widths = samples.Count > 0 ? samples[^1].Widths : [];
        return new
        {
            widths,
            baselineName = samples.Count > 0 ? samples[^1].Baseline : string.Empty,
            at = samples.Select(static sample => sample.At.ToUnixTimeMilliseconds()),
            read = samples.Select(static sample => sample.Read),
            deadLetters = samples.Select(static sample => sample.DeadLetters),
            lag = samples.Select(static sample => sample.Lag),
            waiting = samples.Select(static sample => sample.Waiting),
            freshnessP50 = Column(samples, static sample => sample.FreshnessP50),
            freshnessP99 = Column(samples, static sample => sample.FreshnessP99),
            bankUsed = samples.Select(static sample => sample.BankUsed),
            bankHeld = samples.Select(static sample => sample.BankHeld),
            drift = Column(samples, static sample => sample.Drift),
            recall = widths.Select((_, width) => ByWidth(samples, widths, width, static sample => sample.Recall)),
            loss = widths.Select((_, width) => ByWidth(samples, widths, width, static sample => sample.Losses)),
            recallFused = Column(samples, static sample => sample.RecallFused),
            recallBaseline = Column(samples, static sample => sample.RecallBaseline),
        };
    }

    private static IEnumerable<double?> ByWidth(
        IReadOnlyList<FigureSample> samples,
        IReadOnlyList<int> widths,
        int width,
        Func<FigureSample, IReadOnlyList<double>> values
    ) =>
        Column(samples, sample => width < values(sample).Count && sample.Widths.SequenceEqual(widths) ? values(sample)[width] : double.NaN);

    private static IEnumerable<double?> Column(IReadOnlyList<FigureSample> samples, Func<FigureSample, double> value) =>
        samples.Select(sample => value(sample) is var number && double.IsFinite(number) ? Math.Round(number, Digits) : (double?)null);
}
