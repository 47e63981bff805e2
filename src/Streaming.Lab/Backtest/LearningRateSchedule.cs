namespace Streaming.Lab.Backtest;

/// <summary>Linear warm-up, then constant or a cosine to 0.</summary>
internal static class LearningRateSchedule
{
    /// <summary>The learning rate of a step.</summary>
    /// <param name="options">Settings.</param>
    /// <param name="step">Step, from 0.</param>
    /// <param name="totalSteps">Steps of all epochs.</param>
    public static float At(OfflineOptions options, long step, long totalSteps)
    {
        if (step < options.WarmupSteps)
        {
            return options.LearningRate * (step + 1) / options.WarmupSteps;
        }

        if (!options.Cosine)
        {
            return options.LearningRate;
        }

        double done = Math.Min(1, (step - options.WarmupSteps) / Math.Max(1.0, totalSteps - options.WarmupSteps));
        return (float)(options.LearningRate * 0.5 * (1 + Math.Cos(Math.PI * done)));
    }
}
