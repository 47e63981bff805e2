using Streaming.Learning.Engine;
using Streaming.Learning.Training;

namespace Streaming.Lab.Backtest;

/// <summary>
/// Trains a model on the sequences of a split until the validation NDCG@10 stops rising, and reports the test cases
/// ranked by the model of the best epoch, or of the last epoch if that is the one to keep.
/// </summary>
/// <remarks>Test cases are ranked at every new best epoch, which is cheaper than keeping a copy of the model; no decision
/// depends on them.</remarks>
internal sealed class OfflineTrainer(
    OfflineSplit split,
    OfflineOptions options,
    IReadOnlyList<int> cutoffs,
    int threads,
    BestModel? keep,
    BacktestProgress progress,
    TimeProvider time
)
{
    private const int DecidingCutoff = 10;

    /// <summary>Trains the model.</summary>
    /// <param name="engine">A new engine with item rows and features set.</param>
    /// <param name="label">The run's name in progress lines.</param>
    /// <param name="cancellation">Cancels the run.</param>
    /// <exception cref="NonFiniteLossException">Ten consecutive steps, or all steps, had a non-finite loss or gradient.</exception>
    public OfflineResult Run(TrainingEngine engine, string label, CancellationToken cancellation)
    {
        long start = time.GetTimestamp();
        var batcher = new SequenceBatcher(split, engine.Model, options);
        using var ranker = new CaseRanker(engine, split.ItemCount, cutoffs, threads);
        RankingCases validation = split.Validation.Sample(options.ValidationCases == 0 ? int.MaxValue : options.ValidationCases, seed: 1);
        int[] order = [.. Enumerable.Range(0, split.Train.Count)];
        var shuffle = new Random(unchecked((int)engine.Model.Seed));
        var steps = new StepTally(label);
        OfflineResult? kept = null;
        (double bestNdcg, int bestEpoch) = (0, 0);
        var processor = new ProcessorTime();
        TimeSpan training = TimeSpan.Zero;
        int epoch = 1;
        for (; epoch <= options.Epochs && (options.KeepLast || bestEpoch == 0 || epoch - bestEpoch <= options.Patience); epoch++)
        {
            shuffle.Shuffle(order);
            steps.BeginEpoch();
            long begun = processor.GetTimestamp();
            Epoch(engine, batcher, order, steps, epoch, label, cancellation);
            training += processor.GetElapsedTime(begun);
            double ndcg = ranker.Rank(validation, maskHistory: false)[^1].Ndcg(DecidingCutoff);
            if (steps.AppliedInEpoch > 0 && (bestEpoch == 0 || ndcg > bestNdcg))
            {
                (bestNdcg, bestEpoch) = (ndcg, epoch);
            }

            if (options.KeepLast ? epoch == options.Epochs && steps.Applied > 0 : epoch == bestEpoch)
            {
                kept = new OfflineResult(
                    ndcg,
                    epoch,
                    epoch,
                    steps.Count,
                    0,
                    ranker.Rank(split.Test, maskHistory: false),
                    ranker.Rank(split.Test, maskHistory: true)
                );
                if (keep?.Wants(ndcg) == true)
                {
                    keep.Keep(ndcg, engine, steps.Count);
                }
            }

            progress.Epoch(label, epoch, options.Epochs, steps.MeanLoss, ndcg, bestNdcg, bestEpoch);
        }

        steps.ThrowIfNoneApplied();
        if (steps.Count > steps.Applied)
        {
            progress.Line(
                FormattableString.Invariant(
                    $"{label}: {steps.Count - steps.Applied} of {steps.Count} steps had a non-finite loss or gradient and were not applied"
                )
            );
        }

        return kept! with
        {
            Epochs = epoch - 1,
            Steps = steps.Count,
            Seconds = time.GetElapsedTime(start).TotalSeconds,
            Training = training,
        };
    }

    private void Epoch(
        TrainingEngine engine,
        SequenceBatcher batcher,
        int[] order,
        StepTally steps,
        int epoch,
        string label,
        CancellationToken cancellation
    )
    {
        int batches = (order.Length + options.BatchSize - 1) / options.BatchSize;
        LearningRateOptions rate = options.Schedule((long)batches * options.Epochs);
        for (int batch = 0; batch < batches; batch++)
        {
            cancellation.ThrowIfCancellationRequested();
            int first = batch * options.BatchSize;
            batcher.Fill(split.Train, order.AsSpan(first, Math.Min(options.BatchSize, order.Length - first)));
            if (batcher.Predictions == 0)
            {
                continue;
            }

            StepResult result = engine.Step(batcher.Batch(steps.Count, rate.At(steps.Count), engine.BankCount));
            steps.Add(result);
            progress.Step(label, epoch, batch + 1, batches, batcher.Predictions, result.Loss);
        }
    }
}
