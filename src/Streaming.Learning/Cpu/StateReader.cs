using System.Runtime.InteropServices;
using Streaming.Models.State;

namespace Streaming.Learning.Cpu;

/// <summary>Reads named tensors of a source into spans, and reports mismatches.</summary>
internal sealed class StateReader
{
    private const int BlockBytes = 1 << 20;
    private readonly TensorSource _source;
    private readonly Dictionary<string, int> _byName = new(StringComparer.Ordinal);

    public StateReader(TensorSource source)
    {
        _source = source;
        for (int i = 0; i < source.Tensors.Count; i++)
        {
            _byName[source.Tensors[i].Name] = i;
        }
    }

    /// <summary>Compares names, types and shapes, except the number of item rows and bank entries.</summary>
    public void CheckNames(List<StateTensor> expected)
    {
        foreach (StateTensor tensor in expected)
        {
            TensorInfo info = tensor.Info;
            if (!_byName.Remove(info.Name, out int index))
            {
                throw new StateMismatchException(
                    $"Tensor {info.Name} is missing. The state belongs to a model with other options; start with those, or from scratch."
                );
            }

            TensorInfo found = _source.Tensors[index];
            bool fits = found.Type == info.Type && found.Shape.Count == info.Shape.Count;
            int free =
                info.Name.StartsWith("items.", StringComparison.Ordinal) || info.Name.StartsWith("bank.", StringComparison.Ordinal) ? 1 : 0;
            free = info.Name.StartsWith("items.projection", StringComparison.Ordinal) ? 0 : free;
            if (!fits || !found.Shape.Skip(free).SequenceEqual(info.Shape.Skip(free)))
            {
                throw new StateMismatchException(
                    $"Tensor {info.Name} is {found.Type} [{string.Join(", ", found.Shape)}]; the model needs {info.Type} "
                        + $"[{string.Join(", ", info.Shape)}]. Start with the options that the state was written with."
                );
            }

            _byName.Add(info.Name, index);
        }

        if (_byName.Count > expected.Count)
        {
            var known = expected.Select(tensor => tensor.Info.Name).ToHashSet(StringComparer.Ordinal);
            throw new StateMismatchException(
                $"Tensor {_byName.Keys.First(name => !known.Contains(name))} is not part of the model. Start with the options that the "
                    + "state was written with."
            );
        }
    }

    /// <summary>First dimension of a tensor.</summary>
    public long Rows(string name, int columns)
    {
        TensorInfo info = _source.Tensors[_byName[name]];
        return info.Shape.Count == 2 && info.Shape[1] == columns
            ? info.Shape[0]
            : throw new StateMismatchException($"Tensor {name} is [{string.Join(", ", info.Shape)}]; the model needs [n, {columns}].");
    }

    /// <summary>Reads a whole tensor.</summary>
    public void Read<T>(string name, Span<T> destination)
        where T : unmanaged
    {
        int index = _byName[name];
        long values = _source.Tensors[index].Shape.Aggregate(1L, (product, size) => product * size);
        if (values != destination.Length)
        {
            throw new StateMismatchException($"Tensor {name} has {values} values; the model needs {destination.Length}.");
        }

        // A span of bytes cannot be longer than 2 GiB.
        int block = BlockBytes / System.Runtime.CompilerServices.Unsafe.SizeOf<T>();
        for (int at = 0; at < destination.Length; at += block)
        {
            Span<T> part = destination.Slice(at, Math.Min(block, destination.Length - at));
            _source.Read(index, (long)at * System.Runtime.CompilerServices.Unsafe.SizeOf<T>(), MemoryMarshal.AsBytes(part));
        }
    }
}
