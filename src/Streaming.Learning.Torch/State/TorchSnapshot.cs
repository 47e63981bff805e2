using System.Runtime.InteropServices;
using Streaming.Learning.Torch.Devices;
using Streaming.Models.State;
using TorchSharp;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch.State;

/// <summary>
/// State copied when the snapshot begins: reading it does not need the engine's thread. A GPU copies its own memory in milliseconds,
/// and data goes to the host when it is read; tensors that do not fit twice are copied to the host at once.
/// </summary>
internal sealed class TorchSnapshot : TensorSnapshot
{
    // Null: released.
    private readonly Tensor?[] _copies;
    private readonly Lock _reading = new();
    private bool _isDisposed;

    /// <summary>Copies the entries.</summary>
    /// <param name="entries">The state.</param>
    /// <param name="device">The target device, as long as there is room.</param>
    public TorchSnapshot(IReadOnlyList<StateEntry> entries, Device device)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        Tensors = [.. entries.Select(entry => entry.Info)];
        _copies = new Tensor?[entries.Count];
        for (int i = 0; i < _copies.Length; i++)
        {
            _copies[i] = Copy(entries[i], ref device);
        }
    }

    /// <inheritdoc/>
    public override IReadOnlyList<TensorInfo> Tensors { get; }

    /// <summary>Gets whether it has been disposed.</summary>
    public bool IsDisposed
    {
        get
        {
            lock (_reading)
            {
                return _isDisposed;
            }
        }
    }

    /// <inheritdoc/>
    public override void Read(int tensor, long byteOffset, Span<byte> destination)
    {
        lock (_reading)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            TensorInfo info = Tensors[tensor];
            ArgumentOutOfRangeException.ThrowIfNegative(byteOffset);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(byteOffset + destination.Length, info.ByteCount(), nameof(byteOffset));
            if (_copies[tensor] is { } copy)
            {
                HostTensors.Read(copy, info.Type.Size(), byteOffset, destination);
            }
        }
    }

    /// <inheritdoc/>
    public override void Release(int tensor, long byteCount)
    {
        lock (_reading)
        {
            // A copy is one block of memory, so it is freed only after its last byte.
            if (byteCount >= Tensors[tensor].ByteCount())
            {
                _copies[tensor]?.Dispose();
                _copies[tensor] = null;
            }
        }
    }

    private static Tensor Copy(StateEntry entry, ref Device device)
    {
        using DisposeScope scope = NewDisposeScope();
        try
        {
            return entry.Copy(device).contiguous().view(-1).DetachFromDisposeScope();
        }
        catch (ExternalException error) when (device.type != DeviceType.CPU && DeviceMemory.IsExhausted(error))
        {
            device = CPU;
            return entry.Copy(device).contiguous().view(-1).DetachFromDisposeScope();
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        lock (_reading)
        {
            if (disposing && !_isDisposed)
            {
                foreach (Tensor? copy in _copies)
                {
                    copy?.Dispose();
                }
            }

            _isDisposed = true;
        }
    }
}
