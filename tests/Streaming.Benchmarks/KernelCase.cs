namespace Streaming.Benchmarks;

/// <summary>A kernel at one shape.</summary>
/// <param name="Name">Kernel and shape.</param>
/// <param name="Run">One repetition, on all threads.</param>
/// <param name="Operations">Operations of a repetition; a multiply-add is two.</param>
/// <param name="Bytes">Total size of inputs and outputs: what any algorithm must move.</param>
/// <param name="Peer">Prepares the same computation in libtorch and returns one repetition of it; null: no counterpart.</param>
internal sealed record KernelCase(string Name, Action Run, double Operations, double Bytes, Func<Action>? Peer = null);
