using System.Text;

namespace Streaming.Core.Embeddings;

/// <summary>Keys of the items of one generation: <c>e:&lt;model&gt;:&lt;generation&gt;:{&lt;tag&gt;}:&lt;id&gt;</c>, and with
/// one key per width <c>e:&lt;model&gt;:&lt;generation&gt;/&lt;width&gt;:{&lt;tag&gt;}:&lt;id&gt;</c>.</summary>
public sealed class ItemKeySpace
{
    private readonly byte[][] _prefixes;

    internal ItemKeySpace(RedisKeys keys, uint generation, int? width)
    {
        Keys = keys;
        Generation = generation;
        string space = width is int w ? $"e:{keys.Model}:{generation}/{w}:" : $"e:{keys.Model}:{generation}:";
        ScanPattern = space + "{*}:*";
        _prefixes = [.. Enumerable.Range(0, keys.Partitions).Select(p => Encoding.UTF8.GetBytes($"{space}{{{keys.Tag(p)}}}:"))];
    }

    /// <summary>Gets the model's key names.</summary>
    public RedisKeys Keys { get; }

    /// <summary>Gets the generation.</summary>
    public uint Generation { get; }

    /// <summary>Gets a SCAN pattern that matches exactly the keys of this space.</summary>
    public string ScanPattern { get; }

    /// <summary>Gets the prefix of all keys of a partition; the id's UTF-8 bytes follow it.</summary>
    public ReadOnlySpan<byte> Prefix(int partition) => _prefixes[partition];

    /// <summary>Makes the key of an item.</summary>
    public byte[] Key(string id) => Key(Keys.Partition(id), id);

    /// <summary>Makes the key of an item whose partition is known.</summary>
    public byte[] Key(int partition, string id)
    {
        ArgumentNullException.ThrowIfNull(id);
        byte[] prefix = _prefixes[partition];
        byte[] key = new byte[prefix.Length + Encoding.UTF8.GetByteCount(id)];
        prefix.CopyTo(key, 0);
        Encoding.UTF8.GetBytes(id, key.AsSpan(prefix.Length));
        return key;
    }

    /// <summary>Extracts the id from a key of this space.</summary>
    /// <returns>False when the key is of another space, or its partition is not that of its id.</returns>
    public bool TryGetId(ReadOnlySpan<byte> key, out string id)
    {
        id = string.Empty;
        int tagEnd = key.IndexOf("}:"u8);
        if (tagEnd < 0)
        {
            return false;
        }

        string candidate = Encoding.UTF8.GetString(key[(tagEnd + 2)..]);
        if (!key[..(tagEnd + 2)].SequenceEqual(_prefixes[Keys.Partition(candidate)]))
        {
            return false;
        }

        id = candidate;
        return true;
    }
}
