namespace Streaming.Kernels.Parallel;

/// <summary>One part of a parallel job.</summary>
/// <typeparam name="TState">The job's state; may hold spans.</typeparam>
/// <param name="state">The state, shared by all parts, on the stack of the thread that called <see cref="Workers.Run{TState}"/>.</param>
/// <param name="part">Number of the part, 0 … parts − 1. Results must depend on this alone.</param>
/// <param name="worker">Number of the thread, 0 … <see cref="Workers.Threads"/> − 1: picks scratch memory, never a result.</param>
public delegate void WorkerAction<TState>(ref TState state, int part, int worker)
    where TState : allows ref struct;
