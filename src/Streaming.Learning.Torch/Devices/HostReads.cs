using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Devices;

/// <summary>Copies from the device. Here alone the host waits for what it has queued, in training and encoding.</summary>
internal sealed class HostReads
{
    /// <summary>Gets the number of copies.</summary>
    public long Count { get; private set; }

    /// <summary>Copies a tensor's values.</summary>
    public void Copy<T>(Tensor values, Span<T> destination)
        where T : unmanaged
    {
        using DisposeScope scope = NewDisposeScope();
        Count++;
        MemoryMarshal.Cast<byte, T>(values.cpu().contiguous().bytes).CopyTo(destination);
    }
}
