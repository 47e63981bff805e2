namespace Streaming.Models.State;

/// <summary>
/// Memory for copies of small tensors, one buffer per name, reused by the next snapshot: with fresh memory the operating
/// system would commit it page by page while training is paused. For one snapshot at a time.
/// </summary>
public sealed class CopyBuffers
{
    private readonly Dictionary<string, byte[]> _buffers = new(StringComparer.Ordinal);

    /// <summary>A buffer of exactly this length; its contents are undefined.</summary>
    public byte[] Rent(string name, int bytes)
    {
        if (!_buffers.TryGetValue(name, out byte[]? buffer) || buffer.Length != bytes)
        {
            _buffers[name] = buffer = GC.AllocateUninitializedArray<byte>(bytes);
        }

        return buffer;
    }
}
