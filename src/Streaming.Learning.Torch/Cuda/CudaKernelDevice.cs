namespace Streaming.Learning.Torch.Cuda;

/// <summary>A GPU: NVRTC compiles for its architecture, CUDA's driver launches in torch's context and stream.</summary>
internal sealed unsafe class CudaKernelDevice : IKernelDevice
{
    // cp.async and TF32.
    private const int LeastCapability = 8;

    // Torch's operations of this process run in the legacy default stream, which a launch of ours is then ordered with.
    private const nint DefaultStream = 0;

    private readonly Nvrtc _compiler;
    private readonly CompiledKernels _cache;
    private readonly List<nint> _modules = [];
    private readonly int _device;
    private readonly nint _context;

    /// <summary>Opens a device.</summary>
    /// <param name="index">Its number among those visible to the process.</param>
    /// <param name="folders">Folders to look for NVRTC in.</param>
    /// <param name="cache">Compiled code.</param>
    /// <exception cref="KernelException">No driver, a GPU too old, or no NVRTC.</exception>
    public CudaKernelDevice(int index, IEnumerable<string> folders, CompiledKernels cache)
    {
        _cache = cache;
        try
        {
            CudaDriver.Check(CudaDriver.Initialize(0), "cuInit");
            CudaDriver.Check(CudaDriver.Device(out _device, index), "cuDeviceGet");
        }
        catch (Exception error) when (error is DllNotFoundException or EntryPointNotFoundException)
        {
            throw new KernelException("NVIDIA's driver (libcuda.so.1) is missing or too old", error);
        }

        int major = Attribute(CudaDriver.CapabilityMajor);
        Target = $"sm_{major}{Attribute(CudaDriver.CapabilityMinor)}";
        if (major < LeastCapability)
        {
            throw new KernelException($"the GPU is {Target}; the kernels need sm_{LeastCapability}0 or later");
        }

        Multiprocessors = Attribute(CudaDriver.Multiprocessors);
        MostSharedBytes = Attribute(CudaDriver.MostSharedBytes);
        _compiler = Nvrtc.Load(folders);
        CudaDriver.Check(CudaDriver.RetainContext(out _context, _device), "cuDevicePrimaryCtxRetain");
    }

    /// <inheritdoc/>
    public string Target { get; }

    /// <inheritdoc/>
    public int Multiprocessors { get; }

    /// <inheritdoc/>
    public int MostSharedBytes { get; }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, nint> Compile(KernelSource source)
    {
        string text = KernelSource.Read("Device.cuh") + source.Text;
        byte[] code = _cache.Get(
            string.Join('\n', [_compiler.Version, Target, .. source.Macros, text]),
            () => _compiler.Compile(source.Name, text, Target, source.Macros).Code
        );
        return InContext(() => Load(source, code));
    }

    /// <inheritdoc/>
    public void Launch(nint function, (int X, int Y) grid, int threads, int sharedBytes, ReadOnlySpan<nint> arguments)
    {
        // The thread may have another current device.
        CudaDriver.Check(CudaDriver.PushContext(_context), "cuCtxPushCurrent");
        int result;
        fixed (nint* addresses = arguments)
        {
            result = CudaDriver.Launch(
                function,
                (uint)grid.X,
                (uint)grid.Y,
                1,
                (uint)threads,
                1,
                1,
                (uint)sharedBytes,
                DefaultStream,
                addresses,
                0
            );
        }

        _ = CudaDriver.PopContext(out _);
        CudaDriver.Check(result, "launching a kernel (STREAMING__Training__Kernels=Off trains without them)");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        InContext(() =>
        {
            _modules.ForEach(static module => _ = CudaDriver.UnloadModule(module));
            return 0;
        });
        _modules.Clear();
        _ = CudaDriver.ReleaseContext(_device);
    }

    private Dictionary<string, nint> Load(KernelSource source, byte[] code)
    {
        fixed (byte* image = code)
        {
            CudaDriver.Check(CudaDriver.Version(out int version), "cuDriverGetVersion");
            CudaDriver.Check(
                CudaDriver.LoadModule(out nint module, image),
                $"loading {source.Name} as {_compiler.Version} compiled it, with a driver for CUDA {version / 1000}.{version % 1000 / 10},"
            );
            _modules.Add(module);
            var functions = new Dictionary<string, nint>(StringComparer.Ordinal);
            foreach (string name in source.Functions)
            {
                CudaDriver.Check(CudaDriver.Function(out nint function, module, name), $"finding {name}");
                CudaDriver.Check(
                    CudaDriver.SetFunctionAttribute(function, CudaDriver.FunctionSharedBytes, MostSharedBytes),
                    $"reserving shared memory for {name}"
                );
                functions.Add(name, function);
            }

            return functions;
        }
    }

    private T InContext<T>(Func<T> work)
    {
        CudaDriver.Check(CudaDriver.PushContext(_context), "cuCtxPushCurrent");
        try
        {
            return work();
        }
        finally
        {
            _ = CudaDriver.PopContext(out _);
        }
    }

    private int Attribute(int attribute)
    {
        CudaDriver.Check(CudaDriver.Attribute(out int value, attribute, _device), "cuDeviceGetAttribute");
        return value;
    }
}
