using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Devices;

/// <summary>
/// Host memory for a step's values, uploaded in one copy that the host does not wait for. It grows to the largest step seen and is then
/// reused.
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

    /// <summary>Gets the values of the step.</summary>
    public Span<T> Values => _memory is null ? [] : MemoryMarshal.Cast<byte, T>(_memory.bytes)[.._length];

    /// <summary>Reserves space for the values of a step; previous contents are lost.</summary>
    public void Reserve(int length)
    {
        if (_memory is null || _memory.shape[0] < length)
        {
            _memory?.Dispose();
            _memory = empty(Math.Max(1024, length + (length / 4)), dtype: _type).DetachFromDisposeScope();
        }

        _length = length;
    }

    /// <summary>Copies the values to a device, in the caller's dispose scope. The buffer can be rewritten at once.</summary>
    public Tensor Upload(Device device)
    {
        Tensor values = _memory!.narrow(0, 0, _length);

        // Pinned memory comes from libtorch's cache, which reuses a block only after its copy has finished.
        return device.type == DeviceType.CUDA ? values.pin_memory().to(device, non_blocking: true) : values.clone();
    }

    /// <inheritdoc/>
    public void Dispose() => _memory?.Dispose();
}
