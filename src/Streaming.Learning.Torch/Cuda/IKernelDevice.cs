namespace Streaming.Learning.Torch.Cuda;

/// <summary>What compiles kernels and launches them: a GPU, or its emulation in the tests.</summary>
internal interface IKernelDevice : IDisposable
{
    /// <summary>Gets what the kernels are compiled for.</summary>
    string Target { get; }

    /// <summary>Gets the number of multiprocessors.</summary>
    int Multiprocessors { get; }

    /// <summary>Gets the most shared memory of a block in bytes.</summary>
    int MostSharedBytes { get; }

    /// <summary>Compiles and loads kernels.</summary>
    /// <returns>Each function's handle, by name.</returns>
    /// <exception cref="KernelException">They do not compile or load.</exception>
    IReadOnlyDictionary<string, nint> Compile(KernelSource source);

    /// <summary>Queues a launch behind the operations that torch has queued.</summary>
    /// <param name="function">Handle from <see cref="Compile"/>.</param>
    /// <param name="grid">Blocks, in x and y.</param>
    /// <param name="threads">Threads per block, a multiple of 32.</param>
    /// <param name="sharedBytes">Dynamic shared memory per block.</param>
    /// <param name="arguments">Address of each argument's value.</param>
    /// <exception cref="KernelException">The device refuses the launch.</exception>
    void Launch(nint function, (int X, int Y) grid, int threads, int sharedBytes, ReadOnlySpan<nint> arguments);
}
