using Streaming.Core.Paging;
using Streaming.Core.Snapshots;

namespace Streaming.Core.Dedup;

/// <summary>The dedup window at one point in time, oldest id first.</summary>
internal sealed class DedupSnapshot(PagedSlab.View ring, int start, int count, int capacity, long now)
{
    public void WriteTo(CheckedWriter writer)
    {
        writer.WriteInt64(count);
        writer.WriteInt64(now);
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<long> entry = ring.Read((int)(((long)start + i) % capacity));
            writer.WriteInt64(entry[0]);
            writer.WriteInt64(entry[1]);
        }
    }

    public void Release() => ring.Release();
}
