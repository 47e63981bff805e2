namespace Streaming.Benchmarks;

/// <summary>A kernel at one shape.</summary>
/// <param name="Name">Kernel and shape.</param>
/// <param name="Run">One repetition, on all threads.</param>
/// <param name="Operations">Operations of a repetition; a multiply-add is two.</param>
/// <param name="Bytes">Bytes that inputs and outputs have together: what any algorithm must move.</param>
/// <param name="Peer">Request to PyTorch for the same computation, or null.</param>
internal sealed record KernelCase(string Name, Action Run, double Operations, double Bytes, string? Peer = null);
