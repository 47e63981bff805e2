using System.Globalization;
using Streaming.Core.Options;
using Streaming.Learning.Torch.Devices;

namespace Streaming.Worker.Engine;

/// <summary>The engine that computes training steps.</summary>
public sealed record EngineOptions
{
    /// <summary>
    /// Gets the training engine. Default Cpu; Torch needs a build with Torch=cpu or Torch=cuda. Either engine resumes checkpoints of the
    /// other.
    /// </summary>
    public EngineKind Engine { get; init; } = EngineKind.Cpu;

    /// <summary>Gets the number of threads of the CPU engine. Default 0: one per core; 0 … 256. Results do not depend on it.</summary>
    public int Threads { get; init; }

    /// <summary>Gets the device of the Torch engine. Default cpu; cpu, cuda, cuda:N.</summary>
    public string Device { get; init; } = "cpu";

    /// <summary>Gets whether the Torch engine may multiply in TF32 (10-bit mantissa). Default false.</summary>
    public bool Tf32 { get; init; }

    /// <summary>
    /// Gets whether the Torch engine runs this project's CUDA kernels, compiled when it starts, in place of torch's operations. Default
    /// Auto; Auto runs them on a GPU that supports them, else torch's operations, and the log says why. On refuses to start where they
    /// cannot run.
    /// </summary>
    public KernelMode Kernels { get; init; } = KernelMode.Auto;

    /// <summary>
    /// Gets how the Torch engine's kernels of the fmrlrec tower store activations. Default Full, float32; Bfloat16 halves their memory and
    /// traffic, at 8 bits of mantissa; sums, norms, recurrences and parameters stay float32. Without those kernels it has no effect, and
    /// the log says so.
    /// </summary>
    public ActivationKind Activations { get; init; } = ActivationKind.Full;

    /// <summary>
    /// Gets how many steps pass between the Torch engine's reads of the loss, which synchronize with the device. Default 1; 1 … 10,000. A
    /// non-finite step is detected only at the next read.
    /// </summary>
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
        name is "cpu" or "cuda"
        || (
            name.StartsWith("cuda:", StringComparison.Ordinal)
            && byte.TryParse(name.AsSpan(5), NumberStyles.None, CultureInfo.InvariantCulture, out byte card)
            && card < 128
        );
}
