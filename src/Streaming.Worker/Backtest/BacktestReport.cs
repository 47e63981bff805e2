namespace Streaming.Worker.Backtest;

/// <summary>Result of a backtest.</summary>
/// <param name="Protocol">Protocol.</param>
/// <param name="Users">Users of the data.</param>
/// <param name="Items">Items of the data.</param>
/// <param name="Events">Events of the data.</param>
/// <param name="Seeds">Seeds of the runs.</param>
/// <param name="Cutoffs">Cutoffs K.</param>
/// <param name="Seconds">Time of it all.</param>
/// <param name="Rows">The lines.</param>
internal sealed record BacktestReport(
    string Protocol,
    int Users,
    int Items,
    int Events,
    IReadOnlyList<int> Seeds,
    IReadOnlyList<int> Cutoffs,
    double Seconds,
    IReadOnlyList<ReportRow> Rows)
{
    /// <summary>Gets how each model and floor did along the stream; none of an offline protocol.</summary>
    public IReadOnlyList<StreamCurve> Curves { get; init; } = [];
}
