namespace Streaming.Lab.Backtest;

/// <summary>The stream's models beside those that are retrained on a schedule.</summary>
/// <param name="Every">Interval between trainings.</param>
/// <param name="Trainings">Number of scheduled trainings.</param>
/// <param name="Cutoff">K of the recall by day.</param>
/// <param name="Arms">Each model: those of the stream, and those retrained.</param>
internal sealed record RetrainReport(TimeSpan Every, int Trainings, int Cutoff, IReadOnlyList<RetrainReport.Arm> Arms)
{
    /// <summary>One model, mean over the seeds.</summary>
    /// <param name="Model">Its name, with what differs from the defaults.</param>
    /// <param name="Training">How it is trained: "passes 2, warm".</param>
    /// <param name="ProcessorSeconds">Processor time of training, without scoring.</param>
    /// <param name="Days">Recall by whole days since the last scheduled training, at full width.</param>
    internal sealed record Arm(string Model, string Training, double ProcessorSeconds, IReadOnlyList<Day> Days)
    {
        /// <summary>Averages the runs of several seeds, which have the same events.</summary>
        public static Arm Of(string model, string training, IReadOnlyList<StreamRun> runs, int cutoff) =>
            new(
                model,
                training,
                runs.Average(run => run.Training.TotalSeconds),
                [
                    .. runs[0]
                        .Days!.All.Select(
                            (all, day) =>
                                new Day(
                                    all.Count,
                                    runs[0].Days!.NewItems[day].Count,
                                    runs.Average(run => run.Days!.All[day].Recall(cutoff)),
                                    runs.Average(run => run.Days!.NewItems[day].Recall(cutoff))
                                )
                        ),
                ]
            );
    }

    /// <summary>The examples of one day since training.</summary>
    /// <param name="Cases">Number of examples.</param>
    /// <param name="NewItemCases">How many are of new items.</param>
    /// <param name="Recall">Recall@K of all examples.</param>
    /// <param name="NewItemRecall">Recall@K of new items.</param>
    internal readonly record struct Day(long Cases, long NewItemCases, double Recall, double NewItemRecall);
}
