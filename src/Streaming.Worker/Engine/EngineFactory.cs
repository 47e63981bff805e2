using Streaming.Learning.Cpu;
using Streaming.Learning.Cpu.Ranks;
using Streaming.Learning.Engine;
using Streaming.Learning.Ranks;
using Streaming.Learning.Torch.Devices;
using Streaming.Learning.Torch.Engine;
using Streaming.Models.Options;

namespace Streaming.Worker.Engine;

/// <summary>Creates the engine that the settings select.</summary>
public static class EngineFactory
{
    /// <summary>Checks that the engine's device is usable, before anything is started or read.</summary>
    /// <exception cref="TorchDeviceException">The device is unusable; one line says why and what to do.</exception>
    public static void RequireDevice(EngineOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Engine == EngineKind.Torch)
        {
            TorchEngine.RequireDevice(Torch(options));
        }
    }

    /// <summary>Creates an engine with initial parameters.</summary>
    /// <param name="model">The model.</param>
    /// <param name="options">Which engine.</param>
    /// <param name="ranks">The ranks that share its steps; null: there is one.</param>
    /// <exception cref="TorchDeviceException">The device is unusable.</exception>
    public static TrainingEngine Create(ModelOptions model, EngineOptions options, Collective? ranks = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        int threads = options.Threads == 0 ? Math.Clamp(Environment.ProcessorCount, 1, 256) : options.Threads;
        return options.Engine == EngineKind.Torch ? new TorchEngine(model, Torch(options))
            : ranks is { Size: > 1 } ? new ShardedCpuEngine(model, threads, ranks)
            : new CpuEngine(model, threads);
    }

    private static TorchEngineOptions Torch(EngineOptions options) =>
        new()
        {
            Device = options.Device,
            Tf32 = options.Tf32,
            Kernels = options.Kernels,
            Activations = options.Activations,
            ReadLossEvery = options.ReadLossEvery,
        };
}
