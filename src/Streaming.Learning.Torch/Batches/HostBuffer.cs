using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Batches;

/// <summary>
/// Host memory that a step's numbers are written to and uploaded from in one asynchronous copy. It grows to the largest
/// step seen and is then reused.
/// </summary>
/// <typeparam name="T">Element type.</typeparam>
internal sealed class HostBuffer<T> : IDisposable
    where T : unmanaged
{
    private readonly ScalarType _type;
    private Tensor? _memory;
    private int _length;

    /// <summary>Creates an empty buffer of a tensor type that matches <typeparamref name="T"/>.</summary>
    public HostBuffer(ScalarType type)
    {
        _type = type;
    }

    /// <summary>Gets the numbers of the step.</summary>
    public Span<T> Values => _memory is null ? [] : MemoryMarshal.Cast<byte, T>(_memory.bytes)[.._length];

    /// <summary>Makes room for the numbers of a step; what was there is lost.</summary>
    public void Reserve(int length)
    {
        if (_memory is null || _memory.shape[0] < length)
        {
            _memory?.Dispose();
            _memory = empty(Math.Max(1024, length + (length / 4)), dtype: _type).DetachFromDisposeScope();
        }

        _length = length;
    }

    /// <summary>Copies the numbers to a device, in the caller's dispose scope. The buffer can be written again at once.</summary>
    public Tensor Upload(Device device)
    {
        var values = _memory!.narrow(0, 0, _length);

        // Page-locked memory comes from libtorch's cache, which gives a block out again only after its copy is done.
        return device.type == DeviceType.CUDA ? values.pin_memory().to(device, non_blocking: true) : values.clone();
    }

    /// <inheritdoc/>
    public void Dispose() => _memory?.Dispose();
}
