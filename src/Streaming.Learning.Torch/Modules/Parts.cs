using Streaming.Models.Layers;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Modules;

/// <summary>
/// Increments with several parts: real and imaginary parts of complex channels, or the gates of a GRU. Parameters store the parts
/// of an increment together; computation orders the first parts of all increments first, then the next, so that each is a slice
/// of D.
/// </summary>
internal static class Parts
{
    /// <summary>The index in parameter order of each value in computation order [parts · D] int64; the caller disposes it.</summary>
    public static Tensor Order(Increments widths, int parts, Device device)
    {
        var order = new List<long>(parts * widths.Dimension);
        for (int part = 0; part < parts; part++)
        {
            for (int k = 0; k < widths.Count; k++)
            {
                long first = (parts * widths.Start(k)) + (part * widths.Length(k));
                order.AddRange(Enumerable.Range(0, widths.Length(k)).Select(i => first + i));
            }
        }

        return tensor(order.ToArray(), dtype: ScalarType.Int64, device: device).DetachFromDisposeScope();
    }
}
