using static TorchSharp.torch;

namespace Streaming.Learning.Torch;

/// <summary>State copied to host memory when the snapshot begins: reading it needs neither the device nor the engine's thread.</summary>
internal sealed class TorchSnapshot : TensorSnapshot
{
    // Null: released.
    private readonly Tensor?[] _copies;
    private readonly Lock _reading = new();
    private bool _disposed;

    /// <summary>Copies the entries.</summary>
    public TorchSnapshot(IReadOnlyList<StateEntry> entries)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        Tensors = [.. entries.Select(entry => entry.Info)];
        _copies = [.. entries.Select(entry => Copy(entry.Values()))];
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
                return _disposed;
            }
        }
    }

    /// <inheritdoc/>
    public override void Read(int tensor, long byteOffset, Span<byte> destination)
    {
        lock (_reading)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            var info = Tensors[tensor];
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
            // A copy is one block of memory, so it goes when its last byte does.
            if (byteCount >= Tensors[tensor].ByteCount())
            {
                _copies[tensor]?.Dispose();
                _copies[tensor] = null;
            }
        }
    }

    private static Tensor Copy(Tensor values)
    {
        using var scope = NewDisposeScope();
        return values.to(CPU, copy: true).contiguous().view(-1).DetachFromDisposeScope();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        lock (_reading)
        {
            if (disposing && !_disposed)
            {
                foreach (var copy in _copies)
                {
                    copy?.Dispose();
                }
            }

            _disposed = true;
        }
    }
}
