using Streaming.Models.Options;
using Streaming.Models.State;

namespace Streaming.Learning.Engine;

/// <summary>Initial id embedding of an item: a function of (seed, item key), the same in every engine.</summary>
public static class ItemInitializer
{
    /// <summary>Fills with truncated normal values (two standard deviations).</summary>
    /// <param name="seed">The model's seed.</param>
    /// <param name="itemKey">The item's key.</param>
    /// <param name="deviation"><see cref="ModelOptions.ItemDeviation"/>.</param>
    /// <param name="embedding">Out: [D].</param>
    public static void Fill(ulong seed, ulong itemKey, float deviation, Span<float> embedding) =>
        Gaussian.For(seed, itemKey).Fill(embedding, deviation);
}
