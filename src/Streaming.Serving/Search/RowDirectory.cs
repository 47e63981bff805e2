namespace Streaming.Serving.Search;

/// <summary>Rows by the hash of the item's id, in shards: one writer, any readers; a growing shard blocks only its own readers.</summary>
internal sealed class RowDirectory
{
    private const int Parts = 64;

    private readonly Dictionary<ulong, int>[] _parts = [.. Enumerable.Range(0, Parts).Select(static _ => new Dictionary<ulong, int>())];
    private int _count;

    public int Count => Volatile.Read(ref _count);

    public bool TryFind(ulong key, out int row)
    {
        Dictionary<ulong, int> part = Part(key);
        lock (part)
        {
            return part.TryGetValue(key, out row);
        }
    }

    public void Add(ulong key, int row)
    {
        Dictionary<ulong, int> part = Part(key);
        lock (part)
        {
            part.Add(key, row);
        }

        Volatile.Write(ref _count, _count + 1);
    }

    public bool TryRemove(ulong key, out int row)
    {
        Dictionary<ulong, int> part = Part(key);
        lock (part)
        {
            if (!part.Remove(key, out row))
            {
                return false;
            }
        }

        Volatile.Write(ref _count, _count - 1);
        return true;
    }

    private Dictionary<ulong, int> Part(ulong key) => _parts[key % Parts];
}
