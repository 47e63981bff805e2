using Streaming.Models.State;

namespace Streaming.Models.Batches;

/// <summary>
/// Rows of the predicted steps. A live batch predicts only the last step of each sequence, so everything a tower computes per
/// step after its last recurrence is computed for those rows alone.
/// </summary>
internal static class Selection
{
    /// <summary>Copies the chunk's predicted rows out of its steps.</summary>
    public static void Gather(StepPlan plan, in Chunk chunk, ReadOnlySpan<float> steps, Span<float> selected, int columns)
    {
        for (int q = 0; q < chunk.PredictionCount; q++)
        {
            int step = plan.Predictions[chunk.FirstPrediction + q] - chunk.FirstStep;
            steps.Slice(step * columns, columns).CopyTo(selected.Slice(q * columns, columns));
        }
    }

    /// <summary>Copies predicted rows back to their steps; the other steps are zero.</summary>
    public static void Scatter(StepPlan plan, in Chunk chunk, ReadOnlySpan<float> selected, Span<float> steps, int columns)
    {
        steps.Clear();
        for (int q = 0; q < chunk.PredictionCount; q++)
        {
            int step = plan.Predictions[chunk.FirstPrediction + q] - chunk.FirstStep;
            selected.Slice(q * columns, columns).CopyTo(steps.Slice(step * columns, columns));
        }
    }
}
