using Streaming.Models.State;
using TorchSharp;
using static TorchSharp.torch;

namespace Streaming.Benchmarks.Libtorch;

/// <summary>Maps the CPU engine's parameters to those of a <see cref="TowerPeer"/>.</summary>
/// <remarks>
/// Block k of a nested layer is [in_k × increment k] in the engine; the peer has one matrix [out × in]. The engine stores the
/// states of a recurrence increment by increment, real parts first, then imaginary parts.
/// </remarks>
internal sealed class ParameterPlaces(TowerPeer tower, IReadOnlyList<int> widths)
{
    /// <summary>Copies the engine's values to the peer.</summary>
    public void Copy(ParameterSet from)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        foreach (Parameter parameter in from.All)
        {
            (Tensor target, Tensor places) = Place(parameter);
            target.view(-1).index_copy_(0, places, tensor(from.Value(parameter).ToArray()));
        }
    }

    /// <summary>Checks that both gradients are equal.</summary>
    /// <exception cref="InvalidOperationException">They differ.</exception>
    public void RequireSameGradients(ParameterSet expected, double tolerance)
    {
        using DisposeScope scope = NewDisposeScope();
        foreach (Parameter parameter in expected.All)
        {
            (Tensor target, Tensor places) = Place(parameter);
            Agreement.Require(
                $"training step, gradient of {parameter.Name}",
                expected.Gradients.AsSpan(parameter.Offset, parameter.Length),
                target.grad!.contiguous().view(-1).index_select(0, places),
                tolerance
            );
        }
    }

    private (Tensor Target, Tensor Places) Place(Parameter parameter)
    {
        int dot = parameter.Name.LastIndexOf('.');
        if (!int.TryParse(parameter.Name.AsSpan(dot + 1), out int block))
        {
            bool states = parameter.Name.EndsWith(".lru.input.bias", StringComparison.Ordinal);
            return (
                tower.Parameters[parameter.Name],
                tensor(Array.ConvertAll([.. Enumerable.Range(0, parameter.Length)], i => (long)(states ? Interleaved(i) : i)))
            );
        }

        string name = parameter.Name[..dot];
        Tensor weight = tower.Parameters[name];
        bool toStates = name.EndsWith(".lru.input.weight", StringComparison.Ordinal),
            fromStates = name.EndsWith(".lru.output.weight", StringComparison.Ordinal);
        int begin = (block == 0 ? 0 : widths[block - 1]) * (toStates ? 2 : 1),
            columns = parameter.Shape[1];
        long[] places = new long[parameter.Length];
        for (int i = 0; i < places.Length; i++)
        {
            int input = i / columns,
                output = begin + (i % columns);
            places[i] = ((toStates ? Interleaved(output) : output) * weight.shape[1]) + (fromStates ? Interleaved(input) : input);
        }

        return (weight, tensor(places));
    }

    // From the engine's layout of a state to complex numbers.
    private int Interleaved(int index)
    {
        int k = 0;
        while (index >= 2 * widths[k])
        {
            k++;
        }

        int begin = k == 0 ? 0 : widths[k - 1],
            length = widths[k] - begin,
            within = index - (2 * begin);
        return (2 * (begin + (within % length))) + (within / length);
    }
}
