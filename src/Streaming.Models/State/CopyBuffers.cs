namespace Streaming.Models.State;

/// <summary>
/// Memory for copies of small tensors, one buffer a name, used again by the next snapshot: fresh memory would have to be
/// given by the system page by page while training stands still. For one snapshot at a time.
/// </summary>
public sealed class CopyBuffers
{
    private readonly Dictionary<string, byte[]> _buffers = new(StringComparer.Ordinal);

    /// <summary>A buffer of exactly this length; what stands in it is undefined.</summary>
    public byte[] Rent(string name, int bytes)
    {
        if (!_buffers.TryGetValue(name, out byte[]? buffer) || buffer.Length != bytes)
        {
            _buffers[name] = buffer = GC.AllocateUninitializedArray<byte>(bytes);
        }

        return buffer;
    }
}
