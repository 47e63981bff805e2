namespace Streaming.Kernels.Simd;

/// <summary>Identifies a dropout mask: the same key gives the same mask, on any number of threads, forward and backward.</summary>
/// <param name="Seed">Seed of the run.</param>
/// <param name="Step">Number of the training step.</param>
/// <param name="Layer">Number of the dropout layer in the model.</param>
public readonly record struct DropoutKey(ulong Seed, long Step, int Layer);
