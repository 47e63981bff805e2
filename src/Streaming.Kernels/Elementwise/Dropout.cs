using System.Runtime.CompilerServices;

namespace Streaming.Kernels;

/// <summary>
/// Dropout without a stored mask: whether element i is kept is a hash of (key, i). The backward pass is the same call on
/// the gradient with the same key.
/// </summary>
public static class Dropout
{
    private const int Block = 16384;

    /// <summary>output[i] = input[i] / (1 − rate) with probability 1 − rate, else 0.</summary>
    /// <param name="input">Values.</param>
    /// <param name="output">Out: as many values. May be <paramref name="input"/> itself.</param>
    /// <param name="rate">Probability that an element is dropped, 0 and up, below 1. 0 copies.</param>
    /// <param name="key">Names the mask.</param>
    /// <param name="workers">Threads to use, or null for the calling one.</param>
    public static void Apply(ReadOnlySpan<float> input, Span<float> output, float rate, in DropoutKey key, Workers? workers = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rate);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(rate, 1f);
        ArgumentOutOfRangeException.ThrowIfLessThan(output.Length, input.Length, nameof(output));
        if (rate == 0)
        {
            input.CopyTo(output);
            return;
        }

        Job job = new() { Input = input, Output = output, Scale = 1f / (1f - rate), Mask = new DropoutMask(rate, key) };
        int parts = (input.Length + Block - 1) / Block;
        Workers.RunOn(workers, parts, ref job, static (ref Job job, int part, int _) =>
        {
            int end = Math.Min(job.Input.Length, (part + 1) * Block);
            for (int i = part * Block; i < end; i++)
            {
                job.Output[i] = job.Mask.Keeps((uint)i) ? job.Input[i] * job.Scale : 0f;
            }
        });
    }

    private ref struct Job
    {
        public ReadOnlySpan<float> Input;
        public Span<float> Output;
        public float Scale;
        public DropoutMask Mask;
    }
}
