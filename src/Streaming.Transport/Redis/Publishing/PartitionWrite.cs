using StackExchange.Redis;
using Streaming.Core;

namespace Streaming.Transport;

/// <summary>One call of the write script: some items of one partition, encoded.</summary>
internal sealed class PartitionWrite
{
    private const int FixedKeys = 2;
    private const int FixedArguments = 3;
    private const int ArgumentsPerKey = 4;

    private readonly int _keysPerItem;
    private readonly byte[][] _buffers;
    private int _count;

    public PartitionWrite(RedisKeys keys, int partition, int capacity, int keysPerItem, uint token, uint generation, int feedLength)
    {
        _keysPerItem = keysPerItem;
        _buffers = new byte[capacity * keysPerItem][];
        Items = new Refresh[capacity];
        Keys = new RedisKey[FixedKeys + (capacity * keysPerItem)];
        Arguments = new RedisValue[FixedArguments + (capacity * keysPerItem * ArgumentsPerKey)];
        Keys[0] = keys.Fence(partition);
        Keys[1] = keys.Changes(partition);
        Arguments[0] = (long)token;
        Arguments[1] = feedLength;
        Arguments[2] = (long)generation;
    }

    /// <summary>Gets the items, in the order of the keys.</summary>
    public Refresh[] Items { get; }

    public RedisKey[] Keys { get; }

    public RedisValue[] Arguments { get; }

    /// <summary>Adds one key of an item; an item's keys come one after the other, the full width last.</summary>
    /// <param name="item">The item.</param>
    /// <param name="key">Its key.</param>
    /// <param name="value">The encoded value; null removes the item.</param>
    /// <param name="milliseconds">Time to live; 0 for ever.</param>
    public void Add(in Refresh item, byte[] key, byte[]? value, long milliseconds)
    {
        int slot = _count++;
        Items[slot / _keysPerItem] = item;
        bool last = (slot + 1) % _keysPerItem == 0;
        Keys[FixedKeys + slot] = key;
        int at = FixedArguments + (slot * ArgumentsPerKey);
        Arguments[at] = value ?? [];
        Arguments[at + 1] = milliseconds;
        Arguments[at + 2] = item.Step;
        Arguments[at + 3] = last ? item.ItemId : string.Empty;
        _buffers[slot] = value ?? [];
    }

    /// <summary>Gives the value buffers back. Only after an answer: until then the client may still be sending them.</summary>
    public void Recycle(ValuePool pool)
    {
        foreach (byte[] buffer in _buffers)
        {
            pool.Return(buffer);
        }
    }

    /// <summary>Says which items were skipped: those whose last key, the one with the full width, was.</summary>
    public void MarkSkipped(RedisResult[] answer, int from, Span<bool> skipped)
    {
        for (int i = from; i < answer.Length; i++)
        {
            int slot = (int)(long)answer[i];
            if ((slot + 1) % _keysPerItem == 0)
            {
                skipped[slot / _keysPerItem] = true;
            }
        }
    }
}
