using Streaming.Core.Options;
using Streaming.Learning.Engine;

namespace Streaming.Learning.Torch.Devices;

/// <summary>How the Torch engine works; none of these settings changes what it computes, other than its precision.</summary>
public sealed record TorchEngineOptions
{
    /// <summary>Gets the device: "cpu", "cuda" or "cuda:N". Default "cpu".</summary>
    public string Device { get; init; } = "cpu";

    /// <summary>Gets whether products of float32 matrices may use TF32, with 10 bits of mantissa. Default false.</summary>
    public bool Tf32 { get; init; }

    /// <summary>Gets the target size in bytes of the scores of a chunk of candidates. Default 512 MiB; 1 MiB … 1 TiB.</summary>
    /// <remarks>Reduced automatically when the device runs out of memory.</remarks>
    public long ChunkBytes { get; init; } = 512L << 20;

    /// <summary>
    /// Gets how often the host waits for the loss: every n-th step. Default 1; 1 … 10,000. In between, <see cref="StepResult"/>
    /// repeats the last loss read, and a non-finite step, which changes no parameter, is reported as applied; its bank entries are
    /// excluded from every sum.
    /// </summary>
    public int ReadLossEvery { get; init; } = 1;

    /// <summary>Gets whether this project's kernels replace torch's operations. Default Auto.</summary>
    public KernelMode Kernels { get; init; } = KernelMode.Auto;

    /// <summary>Gets how the kernels of the fmrlrec tower store activations. Default Full, float32, which other towers and torch's
    /// operations always have.</summary>
    public ActivationKind Activations { get; init; }

    /// <summary>Validates every property.</summary>
    /// <exception cref="OptionsException">Names every property that is wrong, its value and what is allowed.</exception>
    public void Validate()
    {
        var errors = new OptionErrors();
        errors.Check(!string.IsNullOrWhiteSpace(Device), nameof(Device), Device, "cpu, cuda, cuda:N");
        errors.Range(nameof(ChunkBytes), ChunkBytes, 1L << 20, 1L << 40);
        errors.Range(nameof(ReadLossEvery), ReadLossEvery, 1, 10_000);
        errors.Check(Enum.IsDefined(Kernels), nameof(Kernels), Kernels, string.Join(", ", Enum.GetNames<KernelMode>()));
        string kinds = string.Join(", ", Enum.GetNames<ActivationKind>());
        errors.Check(Enum.IsDefined(Activations), nameof(Activations), Activations, kinds);
        errors.Throw();
    }
}
