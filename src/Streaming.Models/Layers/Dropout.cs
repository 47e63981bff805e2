using Streaming.Kernels.Elementwise;
using Streaming.Kernels.Simd;

namespace Streaming.Models.Layers;

/// <summary>
/// Dropout with a rate of its own for each increment: narrow prefixes carry every width's score and bear less of it.
/// Masks depend on (seed, step, site, row) alone.
/// </summary>
/// <param name="increments">The nested widths.</param>
/// <param name="rates">Rate of each increment.</param>
/// <param name="seed">The model's seed.</param>
/// <param name="site">Number of the place in the network.</param>
public sealed class Dropout(Increments increments, float[] rates, ulong seed, int site)
{
    private readonly bool _off = rates.All(rate => rate == 0);

    /// <summary>Drops in place. The gradient is treated by the same call.</summary>
    /// <param name="values">[rows × D].</param>
    /// <param name="firstRow">Number of the first row in the whole batch.</param>
    /// <param name="step">Step of training; negative: not training, nothing is dropped.</param>
    public void Apply(Span<float> values, int firstRow, long step)
    {
        if (!_off && step >= 0)
        {
            NestedDropout.Apply(values, firstRow, increments.Ends, rates, new DropoutKey(seed, step, site));
        }
    }
}
