using System.Globalization;

namespace Streaming.Lab.Backtest;

/// <summary>The result of a backtest.</summary>
/// <param name="Protocol">Protocol.</param>
/// <param name="Users">Number of users in the data.</param>
/// <param name="Items">Number of items in the data.</param>
/// <param name="Events">Number of events in the data.</param>
/// <param name="Seeds">Seeds of the runs.</param>
/// <param name="Cutoffs">Cutoffs K.</param>
/// <param name="Seconds">Total time in seconds.</param>
/// <param name="Rows">The result rows.</param>
internal sealed record BacktestReport(
    string Protocol,
    int Users,
    int Items,
    int Events,
    IReadOnlyList<int> Seeds,
    IReadOnlyList<int> Cutoffs,
    double Seconds,
    IReadOnlyList<ReportRow> Rows
)
{
    /// <summary>Gets the number of test targets of an offline protocol.</summary>
    public int Targets { get; init; }

    /// <summary>Gets how many of these occur in their case's history.</summary>
    public int RepeatTargets { get; init; }

    /// <summary>Explains how repeats among the targets affect the masked rows.</summary>
    public static string SayRepeats(int targets, int repeats) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{repeats} of {targets} test targets are in the user's history: a ranking without the history cannot contain them, so the "
                + $"rows \"masked\" count them as misses"
        );

    /// <summary>Gets what each nested model takes, the models of one width beside it, and their sum; none without those models.</summary>
    public IReadOnlyList<ModelCost> Costs { get; init; } = [];

    /// <summary>Gets the comparison with models that are retrained on a schedule; null without one.</summary>
    public RetrainReport? Retraining { get; init; }

    /// <summary>Gets how each model and baseline did along the stream; none of an offline protocol.</summary>
    public IReadOnlyList<StreamCurve> Curves { get; init; } = [];
}
