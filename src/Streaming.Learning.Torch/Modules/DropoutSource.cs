using Streaming.Kernels.Hashing;
using Streaming.Learning.Torch.Cuda;
using Streaming.Models.Layers;
using Streaming.Models.Options;
using TorchSharp;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Modules;

/// <summary>
/// Dropout with a rate per increment, with masks drawn on the device. They depend only on (seed, step) and differ from the CPU
/// engine's masks, whose hash is designed for CPUs.
/// </summary>
internal sealed class DropoutSource : IDisposable
{
    private readonly ulong _seed;
    private readonly Tensor? _rates;
    private readonly Tensor? _scales;
    private readonly Tensor? _thresholds;
    private bool _isTraining;
    private ulong _key;

    public DropoutSource(ModelOptions model, Increments increments, Device device)
    {
        _seed = model.Seed;
        float[] rates = model.DropoutRates;
        if (rates.Any(rate => rate > 0))
        {
            using DisposeScope scope = NewDisposeScope();
            float[] columns = [.. Enumerable.Range(0, increments.Count).SelectMany(k => Enumerable.Repeat(rates[k], increments.Length(k)))];
            _rates = tensor(columns, dtype: ScalarType.Float32, device: device).DetachFromDisposeScope();
            _scales = tensor(columns.Select(rate => 1 / (1 - rate)).ToArray(), dtype: ScalarType.Float32, device: device)
                .DetachFromDisposeScope();
            _thresholds = tensor(columns.Select(Threshold).ToArray(), dtype: ScalarType.Int32, device: device).DetachFromDisposeScope();
        }
    }

    /// <summary>Starts a training step: dropout is on.</summary>
    public void Begin(long step)
    {
        _isTraining = _rates is not null;
        if (_isTraining)
        {
            _key = SplitMix64.Finalize(_seed + SplitMix64.Finalize((ulong)step));

            // TorchSharp's Generator is always the CPU's, whatever device it names; this seeds a GPU's own generator.
            long seed = unchecked((long)_key);
            if (_rates!.device.type == DeviceType.CUDA)
            {
                cuda.manual_seed_all(seed);
            }
            else
            {
                using Generator generator = random.manual_seed(seed);
            }
        }
    }

    /// <summary>Ends the step: dropout is off.</summary>
    public void End() => _isTraining = false;

    /// <summary>The masks of one place of a tower, for kernels: none outside of a training step.</summary>
    /// <param name="site">A number that no other place of the tower has.</param>
    public DropoutArguments Arguments(int site) =>
        _isTraining
            ? new DropoutArguments
            {
                Thresholds = KernelCall.Address(_thresholds),
                Scales = KernelCall.Address(_scales),
                Key = _key,
                Site = (uint)site,
            }
            : default;

    /// <summary>In a training step, drops elements of [… × D] and scales the rest.</summary>
    public Tensor Apply(Tensor values)
    {
        if (!_isTraining)
        {
            return values;
        }

        using DisposeScope scope = NewDisposeScope();
        Tensor kept = rand(values.shape, dtype: ScalarType.Float32, device: values.device).ge(_rates!);
        return values.mul(kept.mul(_scales!)).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _rates?.Dispose();
        _scales?.Dispose();
        _thresholds?.Dispose();
    }

    // Below which of 2³² equally likely draws an element is dropped; unsigned, which torch has no type for.
    private static int Threshold(float rate) => unchecked((int)(uint)(rate * (1L << 32)));
}
