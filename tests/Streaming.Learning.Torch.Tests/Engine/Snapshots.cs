using System.Runtime.InteropServices;
using Streaming.Learning.Engine;
using Streaming.Models.State;

namespace Streaming.Learning.Torch.Tests.Engine;

/// <summary>Whole tensors of a snapshot.</summary>
internal static class Snapshots
{
    /// <summary>Every tensor of an engine's state as float64, by name.</summary>
    public static Dictionary<string, double[]> State(this TrainingEngine engine)
    {
        using TensorSnapshot snapshot = engine.BeginSnapshot();
        var tensors = new Dictionary<string, double[]>(StringComparer.Ordinal);
        for (int i = 0; i < snapshot.Tensors.Count; i++)
        {
            byte[] bytes = new byte[snapshot.Tensors[i].ByteCount()];
            snapshot.Read(i, 0, bytes);
            tensors.Add(snapshot.Tensors[i].Name, Numbers(snapshot.Tensors[i].Type, bytes));
        }

        return tensors;
    }

    private static double[] Numbers(TensorType type, byte[] bytes) =>
        type switch
        {
            TensorType.F32 => [.. MemoryMarshal.Cast<byte, float>(bytes).ToArray().Select(value => (double)value)],
            TensorType.F64 => MemoryMarshal.Cast<byte, double>(bytes).ToArray(),
            TensorType.I32 => [.. MemoryMarshal.Cast<byte, int>(bytes).ToArray().Select(value => (double)value)],
            TensorType.I64 => [.. MemoryMarshal.Cast<byte, long>(bytes).ToArray().Select(value => (double)value)],
            _ => throw new ArgumentOutOfRangeException(nameof(type)),
        };
}
