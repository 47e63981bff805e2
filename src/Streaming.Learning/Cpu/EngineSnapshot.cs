using Streaming.Models.State;

namespace Streaming.Learning.Cpu;

/// <summary>State of an engine at one point in time, readable from another thread while training continues.</summary>
internal sealed class EngineSnapshot : TensorSnapshot
{
    private readonly List<StateTensor> _tensors;
    private volatile bool _isDisposed;

    public EngineSnapshot(List<StateTensor> tensors)
    {
        _tensors = tensors;
        Tensors = [.. tensors.Select(tensor => tensor.Info)];
        foreach (StateTensor tensor in tensors)
        {
            tensor.Begin();
        }
    }

    public override IReadOnlyList<TensorInfo> Tensors { get; }

    public bool IsDisposed => _isDisposed;

    public override void Read(int tensor, long byteOffset, Span<byte> destination)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        _tensors[tensor].Read(byteOffset, destination);
    }

    public override void Release(int tensor, long byteCount) => _tensors[tensor].Release(byteCount);

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_isDisposed)
        {
            foreach (StateTensor tensor in _tensors)
            {
                tensor.End();
            }

            _isDisposed = true;
        }
    }
}
