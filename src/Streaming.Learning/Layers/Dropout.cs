using Streaming.Kernels;

namespace Streaming.Learning;

/// <summary>
/// Dropout with a rate of its own for each increment: narrow prefixes carry every width's score and bear less of it.
/// Masks depend on (seed, step, site, row) alone.
/// </summary>
/// <param name="increments">The nested widths.</param>
/// <param name="rates">Rate of each increment.</param>
/// <param name="seed">The model's seed.</param>
/// <param name="site">Number of the place in the network.</param>
internal sealed class Dropout(Increments increments, float[] rates, ulong seed, int site)
{
    private readonly bool _off = rates.All(rate => rate == 0);

    /// <summary>Drops in place. The gradient is treated by the same call.</summary>
    /// <param name="values">[rows × D].</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="firstRow">Number of the first row in the whole batch.</param>
    /// <param name="step">Step of training; negative: not training, nothing is dropped.</param>
    public void Apply(Span<float> values, int rows, int firstRow, long step)
    {
        if (_off || step < 0)
        {
            return;
        }

        ulong key = Gaussian.Mix(seed + Gaussian.Mix(((ulong)step << 8) + (ulong)site));
        int d = increments.Dimension;
        for (int r = 0; r < rows; r++)
        {
            ulong rowKey = Gaussian.Mix(key + ((ulong)(firstRow + r) << 16));
            for (int k = 0; k < increments.Count; k++)
            {
                DropoutMask.Apply(values.Slice((r * d) + increments.Start(k), increments.Length(k)), rates[k], rowKey + ((ulong)k * 0x9E3779B97F4A7C15UL));
            }
        }
    }
}
