using Streaming.Kernels.Hashing;
using Streaming.Models.Layers;
using Streaming.Models.Options;
using TorchSharp;

using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Modules;

/// <summary>
/// Dropout with a rate of its own for each increment, its masks drawn on the device. They depend on (seed, step) alone;
/// they are not the CPU engine's masks, whose hash is made for processors.
/// </summary>
internal sealed class DropoutSource : IDisposable
{
    private readonly ulong _seed;
    private readonly Tensor? _rates;
    private readonly Tensor? _scales;
    private bool _training;

    public DropoutSource(ModelOptions model, Increments increments, Device device)
    {
        _seed = model.Seed;
        float[] rates = model.DropoutRates;
        if (rates.Any(rate => rate > 0))
        {
            using var scope = NewDisposeScope();
            float[] columns = [.. Enumerable.Range(0, increments.Count).SelectMany(k => Enumerable.Repeat(rates[k], increments.Length(k)))];
            _rates = tensor(columns, dtype: ScalarType.Float32, device: device).DetachFromDisposeScope();
            _scales = tensor(columns.Select(rate => 1 / (1 - rate)).ToArray(), dtype: ScalarType.Float32, device: device).DetachFromDisposeScope();
        }
    }

    /// <summary>Begins a training step: what follows drops.</summary>
    public void Begin(long step)
    {
        _training = _rates is not null;
        if (_training)
        {
            // A Generator of TorchSharp's is the processor's, whatever device it names: a card's own is seeded by this.
            long seed = unchecked((long)SplitMix64.Finalize(_seed + SplitMix64.Finalize((ulong)step)));
            if (_rates!.device.type == DeviceType.CUDA)
            {
                cuda.manual_seed_all(seed);
            }
            else
            {
                using var generator = random.manual_seed(seed);
            }
        }
    }

    /// <summary>Ends it: what follows does not.</summary>
    public void End() => _training = false;

    /// <summary>Drops elements of [… × D] and scales the rest, in a training step.</summary>
    public Tensor Apply(Tensor values)
    {
        if (!_training)
        {
            return values;
        }

        using var scope = NewDisposeScope();
        var kept = rand(values.shape, dtype: ScalarType.Float32, device: values.device).ge(_rates!);
        return values.mul(kept.mul(_scales!)).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _rates?.Dispose();
        _scales?.Dispose();
    }
}
