using Streaming.Learning;

namespace Streaming.Worker;

/// <summary>Makes the engine that the settings name.</summary>
internal static class EngineFactory
{
    /// <summary>Creates an engine with initial parameters.</summary>
    public static TrainingEngine Create(ModelOptions model, EngineOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return options.Engine == EngineKind.Torch
            ? TorchEngineFactory.Create(model, options)
            : new CpuEngine(model, options.Threads == 0 ? Math.Clamp(Environment.ProcessorCount, 1, 256) : options.Threads);
    }
}
