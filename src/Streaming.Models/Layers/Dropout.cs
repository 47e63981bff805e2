using Streaming.Kernels.Elementwise;
using Streaming.Kernels.Simd;

namespace Streaming.Models.Layers;

/// <summary>
/// Dropout with a rate per increment: narrow prefixes contribute to every width's score and tolerate less of it. Masks depend
/// only on (seed, step, site, row).
/// </summary>
/// <param name="increments">The nested widths.</param>
/// <param name="rates">Rate of each increment.</param>
/// <param name="seed">The model's seed.</param>
/// <param name="site">Number of the dropout layer in the network.</param>
public sealed class Dropout(Increments increments, float[] rates, ulong seed, int site)
{
    private readonly bool _isOff = rates.All(rate => rate == 0);

    /// <summary>Gets or sets the number of this share's first row in the whole batch. 0: the share is the batch.</summary>
    public int Origin { get; set; }

    /// <summary>Applies dropout in place. The same call applies it to the gradient.</summary>
    /// <param name="values">[rows × D].</param>
    /// <param name="firstRow">Number of the first row in the share.</param>
    /// <param name="step">Training step; negative: not training, no dropout.</param>
    public void Apply(Span<float> values, int firstRow, long step)
    {
        if (!_isOff && step >= 0)
        {
            NestedDropout.Apply(values, Origin + firstRow, increments.Ends, rates, new DropoutKey(seed, step, site));
        }
    }
}
