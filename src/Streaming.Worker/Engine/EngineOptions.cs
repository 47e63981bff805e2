using System.Globalization;
using Streaming.Core.Options;

namespace Streaming.Worker.Engine;

/// <summary>What computes the training step.</summary>
public sealed record EngineOptions
{
    /// <summary>Gets which engine trains. Default Cpu; Torch needs a build with Torch=cpu or Torch=cuda. Checkpoints of one go on with the other.</summary>
    public EngineKind Engine { get; init; } = EngineKind.Cpu;

    /// <summary>Gets the threads of the CPU engine. Default 0: one for each core; 0 … 256. Results do not depend on it.</summary>
    public int Threads { get; init; }

    /// <summary>Gets the device of the Torch engine. Default cpu; cpu, cuda, cuda:N.</summary>
    public string Device { get; init; } = "cpu";

    /// <summary>Gets whether the Torch engine may multiply in TF32, with 10 bits of mantissa. Default false.</summary>
    public bool Tf32 { get; init; }

    /// <summary>Gets how often the Torch engine waits for the loss: every this many steps. Default 1; 1 … 10,000. A step that was not finite is then noticed late.</summary>
    public int ReadLossEvery { get; init; } = 1;

    /// <summary>Checks every property.</summary>
    /// <exception cref="OptionsException">Names every property that is wrong, its value and what is allowed.</exception>
    public void Validate()
    {
        var errors = new OptionErrors();
        errors.Range(nameof(Threads), Threads, 0, 256);
        errors.Check(IsDevice(Device), nameof(Device), Device, "cpu, cuda, cuda:N");
        errors.Range(nameof(ReadLossEvery), ReadLossEvery, 1, 10_000);
        errors.Throw();
    }

    private static bool IsDevice(string name) =>
        name is "cpu" or "cuda" || (name.StartsWith("cuda:", StringComparison.Ordinal) && byte.TryParse(name.AsSpan(5), NumberStyles.None, CultureInfo.InvariantCulture, out byte card) && card < 128);
}
