using Streaming.Learning.Torch.Devices;
using Streaming.Models.Options;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Cuda;

/// <summary>The kernels that an engine runs, or why it runs torch's operations.</summary>
internal sealed class DeviceKernels : IDisposable
{
    private readonly IKernelDevice? _device;

    private DeviceKernels(string description)
    {
        Description = description;
    }

    private DeviceKernels(IKernelDevice device, TorchEngineOptions options, ModelOptions model)
    {
        _device = device;
        int[] widths = [.. model.Widths];
        Softmax = SoftmaxKernels.Compile(device, widths, model.Cosine, !options.Tf32);
        Items = ItemKernels.Compile(device, widths);
        Update = UpdateKernels.Compile(device, widths);
        bool bfloat16 = options.Activations == ActivationKind.Bfloat16;
        Tower = model.Tower == TowerKind.FmrlRec ? TowerKernels.Compile(device, widths, bfloat16) : null;
        string tower = Tower is null ? Unused(options) : $", fmrlrec tower{(bfloat16 ? " with activations in bfloat16" : "")}";
        Description = $"own kernels for {device.Target}: nested softmax, item rows, updates{tower}";
    }

    /// <summary>Gets the kernels of the loss; null: torch's operations.</summary>
    public SoftmaxKernels? Softmax { get; }

    /// <summary>Gets the kernels of the item rows; null: torch's operations.</summary>
    public ItemKernels? Items { get; }

    /// <summary>Gets the kernels of the fmrlrec tower; null: torch's operations.</summary>
    public TowerKernels? Tower { get; }

    /// <summary>Gets the kernels of the optimisers; null: torch's operations.</summary>
    public UpdateKernels? Update { get; }

    /// <summary>Gets what was chosen and why, for the log.</summary>
    public string Description { get; }

    /// <summary>Compiles the kernels of a model where they can run.</summary>
    /// <param name="options">Mode and precision.</param>
    /// <param name="target">Torch's device.</param>
    /// <param name="model">The model.</param>
    /// <param name="device">In place of the target's own; disposed with the result.</param>
    /// <exception cref="TorchDeviceException">The mode is On, and the kernels cannot run: why, and what to do.</exception>
    public static DeviceKernels Choose(TorchEngineOptions options, Device target, ModelOptions model, IKernelDevice? device = null)
    {
        if (options.Kernels == KernelMode.Off)
        {
            device?.Dispose();
            return new DeviceKernels($"torch's operations (STREAMING__Training__Kernels=Off){Unused(options)}");
        }

        try
        {
            device ??= Open(target);
            return new DeviceKernels(device, options, model);
        }
        catch (KernelException error)
        {
            device?.Dispose();
            return options.Kernels == KernelMode.Auto
                ? new DeviceKernels($"torch's operations, not own kernels: {error.Message}{Unused(options)}")
                : throw new TorchDeviceException(
                    $"STREAMING__Training__Kernels is On, but the kernels cannot run on '{options.Device}': {error.Message}. Set it to "
                        + "Auto to train with torch's operations.",
                    error
                );
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _device?.Dispose();

    /// <summary>Opens the kernel device of a torch device.</summary>
    /// <exception cref="KernelException">It has none.</exception>
    public static IKernelDevice Open(Device target) =>
        target.type == TorchSharp.DeviceType.CUDA
            ? new CudaKernelDevice(target.index, Folders(), CompiledKernels.OfUser())
            : throw new KernelException($"the device is {target.type.ToString().ToLowerInvariant()}, not cuda");

    // What the settings ask for without effect.
    private static string Unused(TorchEngineOptions options) =>
        options.Activations == ActivationKind.Full
            ? ""
            : $"; activations are float32: STREAMING__Training__Activations={options.Activations} needs the kernels of the fmrlrec tower";

    // Libtorch's own folder first, then where CUDA's packages put NVRTC.
    private static IEnumerable<string> Folders() =>
        [
            .. ((string?)AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries),
            AppContext.BaseDirectory,
            "/usr/local/cuda/lib64",
            "/usr/lib/x86_64-linux-gnu",
        ];
}
