namespace Streaming.Learning.Items;

/// <summary>
/// How popular an item is of late, as one number that changes with its events alone: h · log₂ Σ 2^(tᵢ / h) over the times tᵢ of its
/// events and the half-life h. It is the time of one event that would weigh as much as all of them, so items are compared without
/// knowing when each was updated last (forward decay: Cormode, Shkapenyuk, Srivastava, Xu, "Forward Decay", ICDE 2009).
/// </summary>
internal static class Popularity
{
    /// <summary>The popularity after one more event.</summary>
    /// <param name="before">The popularity before, milliseconds; 0: none yet.</param>
    /// <param name="time">When the event happened, milliseconds.</param>
    /// <param name="halfLife">The half-life, milliseconds, above 0.</param>
    public static double After(double before, long time, double halfLife) =>
        before <= 0
            ? Math.Max(time, 0)
            : Math.Max(before, time) + (halfLife * double.Log2P1(Math.Pow(2, -Math.Abs(before - time) / halfLife)));
}
