namespace Streaming.Lab.Backtest;

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
    /// <summary>Gets the number of test targets of an offline protocol.</summary>
    public int Targets { get; init; }

    /// <summary>Gets how many of these are in their case's history.</summary>
    public int RepeatTargets { get; init; }

    /// <summary>Says what repeats among the targets do to the masked rows.</summary>
    public static string SayRepeats(int targets, int repeats) => FormattableString.Invariant(
        $"{repeats} of {targets} test targets are in the user's history: a list that leaves the history out cannot have them, and the rows \"masked\" count them as misses");

    /// <summary>Gets how each model and baseline did along the stream; none of an offline protocol.</summary>
    public IReadOnlyList<StreamCurve> Curves { get; init; } = [];
}
