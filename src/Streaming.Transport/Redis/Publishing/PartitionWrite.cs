using StackExchange.Redis;
using Streaming.Core.Embeddings;
using Streaming.Core.Refreshes;

namespace Streaming.Transport.Redis.Publishing;

/// <summary>One call of the write script: encoded items of one partition.</summary>
internal sealed class PartitionWrite
{
    private const int FixedKeys = 2;
    private const int FixedArguments = 4;
    private const int ArgumentsPerKey = 6;

    public const byte Skipped = 1;
    public const byte Blocked = 2;

    /// <summary>The mode that writes.</summary>
    public const string Write = "w";

    /// <summary>The mode that writes where the store holds other numbers.</summary>
    public const string Compare = "c";

    /// <summary>The mode that leaves the value and extends its expiry.</summary>
    public const string Keep = "k";

    private readonly int _keysPerItem;
    private readonly byte[][] _buffers;
    private int _count;

    public PartitionWrite(RedisKeys keys, int partition, int capacity, int keysPerItem, uint token, uint generation, int feedLength)
    {
        Partition = partition;
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

    /// <summary>Gets the partition.</summary>
    public int Partition { get; }

    /// <summary>Gets the items, in the order of the keys.</summary>
    public Refresh[] Items { get; }

    public RedisKey[] Keys { get; }

    public RedisValue[] Arguments { get; }

    /// <summary>Sets how many writes of the partition Redis has acknowledged; a lower count in Redis means lost writes.</summary>
    public void Expect(long writes) => Arguments[3] = writes;

    /// <summary>Adds one key of an item. An item's keys are consecutive, the full width last.</summary>
    /// <param name="item">The item.</param>
    /// <param name="key">Its key.</param>
    /// <param name="value">The encoded value; null removes the item.</param>
    /// <param name="milliseconds">Time to live; 0: no expiry.</param>
    /// <param name="mode">Of the script: <see cref="Write"/>, <see cref="Compare"/> or <see cref="Keep"/>.</param>
    /// <param name="isPooled">Whether the value goes back to the pool.</param>
    /// <param name="check">For the change feed: differs when what is written of the item does.</param>
    public void Add(in Refresh item, byte[] key, byte[]? value, long milliseconds, string mode, bool isPooled, uint check = 0)
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
        Arguments[at + 4] = mode;
        Arguments[at + 5] = check;
        _buffers[slot] = isPooled && value is not null ? value : [];
    }

    /// <summary>Returns the value buffers. Only after an answer: until then the client may still be sending them.</summary>
    public void Recycle(ValuePool pool)
    {
        foreach (byte[] buffer in _buffers)
        {
            pool.Return(buffer);
        }
    }

    /// <summary>Marks the items that were not written: <see cref="Skipped"/> if the last key, with the full width, was skipped;
    /// <see cref="Blocked"/> if one of the keys has the wrong type.</summary>
    /// <param name="answer">Indices of keys, −1 − index for keys of the wrong type.</param>
    /// <param name="from">Where the indices start.</param>
    /// <param name="marks">Receives a mark for each item that was not written.</param>
    /// <returns>The items with a key of the wrong type, and one such key of each; null: none.</returns>
    public Dictionary<int, RedisKey>? Mark(RedisResult[] answer, int from, Span<byte> marks)
    {
        Dictionary<int, RedisKey>? blocked = null;
        for (int i = from; i < answer.Length; i++)
        {
            int slot = (int)(long)answer[i];
            if (slot < 0)
            {
                slot = -1 - slot;
                marks[slot / _keysPerItem] = Blocked;
                (blocked ??= [])[slot / _keysPerItem] = Keys[FixedKeys + slot];
            }
            else if ((slot + 1) % _keysPerItem == 0)
            {
                marks[slot / _keysPerItem] = Skipped;
            }
        }

        return blocked;
    }
}
