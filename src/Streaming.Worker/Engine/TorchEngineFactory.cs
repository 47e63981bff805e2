using Streaming.Learning;
#if TORCH
using Streaming.Learning.Torch;
#endif

namespace Streaming.Worker;

/// <summary>The Torch engine of builds that have one: the symbol TORCH stands for the properties Torch=cpu and Torch=cuda.</summary>
internal static class TorchEngineFactory
{
    /// <summary>What to do in a build without it.</summary>
    public const string HowToGet = "this build has no Torch engine; build with -p:Torch=cuda (or cpu), or the image with TORCH=cuda";

#if TORCH
    /// <summary>Whether this build has it.</summary>
    public const bool IsAvailable = true;

    /// <summary>Creates an engine with initial parameters on the device of the options.</summary>
    /// <exception cref="TorchDeviceException">The device cannot be used: one line that says what was looked for.</exception>
    public static TrainingEngine Create(ModelOptions model, EngineOptions options) =>
        new TorchEngine(model, new TorchEngineOptions { Device = options.Device, Tf32 = options.Tf32, ReadLossEvery = options.ReadLossEvery });
#else
    /// <summary>Whether this build has it.</summary>
    public const bool IsAvailable = false;

    /// <summary>Says how to get it.</summary>
    /// <exception cref="NotSupportedException">Always.</exception>
    public static TrainingEngine Create(ModelOptions model, EngineOptions options) => throw new NotSupportedException($"Training__Engine is {options.Engine}: {HowToGet}.");
#endif
}
