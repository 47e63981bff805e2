using Streaming.Models.State;

namespace Streaming.Learning.Cpu.Ranks;

/// <summary>Which tensors of a rank's state are its own, and which all ranks have.</summary>
internal static class RankTensors
{
    /// <summary>Name of the tensor with the rank and the number of ranks; one engine with all rows has none.</summary>
    public const string Share = "ranks.share";

    /// <summary>Whether a tensor has a row per stored item.</summary>
    public static bool IsByItem(string name) =>
        name.StartsWith("items.", StringComparison.Ordinal) && !name.StartsWith("items.projection", StringComparison.Ordinal);

    /// <summary>Index of a tensor, or −1.</summary>
    public static int IndexOf(TensorSource source, string name)
    {
        for (int i = 0; i < source.Tensors.Count; i++)
        {
            if (source.Tensors[i].Name == name)
            {
                return i;
            }
        }

        return -1;
    }
}
