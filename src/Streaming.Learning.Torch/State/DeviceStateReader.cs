using Streaming.Models.State;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch.State;

/// <summary>Checks a stored state against the engine's before replacing anything, then reads it tensor by tensor.</summary>
internal sealed class DeviceStateReader
{
    private readonly TensorSource _source;
    private readonly Dictionary<string, int> _byName = new(StringComparer.Ordinal);

    /// <summary>Compares names, types and shapes; the first dimension of item rows and bank entries is free up to a bound.</summary>
    /// <param name="source">The stored state.</param>
    /// <param name="expected">The engine's tensors.</param>
    /// <param name="mostRows">Bound of the first dimension by name; null requires an exact shape.</param>
    /// <exception cref="StateMismatchException">Names the tensor.</exception>
    public DeviceStateReader(TensorSource source, IReadOnlyList<StateEntry> expected, Func<string, long?> mostRows)
    {
        _source = source;
        for (int i = 0; i < source.Tensors.Count; i++)
        {
            _byName[source.Tensors[i].Name] = i;
        }

        foreach (StateEntry entry in expected)
        {
            Check(entry.Info, mostRows(entry.Info.Name));
        }

        var known = expected.Select(entry => entry.Info.Name).ToHashSet(StringComparer.Ordinal);
        if (_byName.Keys.FirstOrDefault(name => !known.Contains(name)) is { } unknown)
        {
            throw new StateMismatchException(
                $"Tensor {unknown} is not part of the model. Start with the options that the state was written with."
            );
        }
    }

    /// <summary>Reads a tensor into host memory, in the caller's dispose scope.</summary>
    public Tensor Read(string name)
    {
        int index = _byName[name];
        TensorInfo info = _source.Tensors[index];
        Tensor values = empty(info.ElementCount(), dtype: Type(info.Type));
        HostTensors.Fill(values, info.Type.Size(), _source, index);
        return values.view([.. info.Shape]);
    }

    private void Check(TensorInfo needed, long? mostRows)
    {
        if (!_byName.TryGetValue(needed.Name, out int index))
        {
            throw new StateMismatchException(
                $"Tensor {needed.Name} is missing. The state belongs to a model with other options; start with those, or from scratch."
            );
        }

        TensorInfo found = _source.Tensors[index];
        int free = mostRows is null ? 0 : 1;
        if (
            found.Type != needed.Type
            || found.Shape.Count != needed.Shape.Count
            || !found.Shape.Skip(free).SequenceEqual(needed.Shape.Skip(free))
        )
        {
            throw new StateMismatchException(
                $"Tensor {needed.Name} is {found.Type} [{string.Join(", ", found.Shape)}]; the model needs {needed.Type} "
                    + $"[{string.Join(", ", needed.Shape)}]. Start with the options that the state was written with."
            );
        }

        if (found.Shape.Count > 0 && found.Shape[0] > mostRows)
        {
            throw new StateMismatchException(
                $"Tensor {needed.Name} has {found.Shape[0]} rows; the model has room for {mostRows}. Start with a capacity of at least "
                    + $"{found.Shape[0]}."
            );
        }
    }

    private static ScalarType Type(TensorType type) =>
        type switch
        {
            TensorType.F32 => ScalarType.Float32,
            TensorType.F64 => ScalarType.Float64,
            TensorType.I32 => ScalarType.Int32,
            TensorType.I64 => ScalarType.Int64,
            _ => throw new ArgumentOutOfRangeException(nameof(type), type, "Not a type of the engine's state."),
        };
}
