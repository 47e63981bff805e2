using Streaming.Learning;

namespace Streaming.Worker.Backtest;

/// <summary>Makes the engine that backtests run on.</summary>
internal static class EngineFactory
{
    /// <summary>Creates a fresh engine.</summary>
    /// <param name="model">The model, validated by the engine.</param>
    /// <param name="threads">Threads to work with.</param>
    public static TrainingEngine Create(ModelOptions model, int threads) => new CpuEngine(model, threads);
}
