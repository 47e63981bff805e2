using System.Runtime.InteropServices;
using Streaming.Models.State;

namespace Streaming.Models.Tests.Slices;

/// <summary>Tensors of float32 in memory.</summary>
internal sealed class TensorsInMemory : TensorSource
{
    private readonly List<(TensorInfo Info, float[] Values)> _all = [];

    public override IReadOnlyList<TensorInfo> Tensors => [.. _all.Select(tensor => tensor.Info)];

    /// <summary>All parameters of a set as they are now.</summary>
    public static TensorsInMemory Of(ParameterSet set)
    {
        var source = new TensorsInMemory();
        foreach (Parameter parameter in set.All)
        {
            source.Add(parameter.Name, set.Value(parameter).ToArray(), [.. parameter.Shape.Select(size => (long)size)]);
        }

        return source;
    }

    public void Add(string name, float[] values, params long[] shape) => _all.Add((new TensorInfo(name, TensorType.F32, shape), values));

    public void Remove(string name) => _all.RemoveAll(tensor => tensor.Info.Name == name);

    public float[] Values(string name) => _all.Single(tensor => tensor.Info.Name == name).Values;

    public override void Read(int tensor, long byteOffset, Span<byte> destination) =>
        MemoryMarshal.AsBytes(_all[tensor].Values.AsSpan()).Slice((int)byteOffset, destination.Length).CopyTo(destination);

    protected override void Dispose(bool disposing) { }
}
