using Streaming.Models.State;

namespace Streaming.Learning.Counts;

/// <summary>
/// Memory of short lists: blocks of 8, 32, 128 or 512 slots, each a key, a weight and its error, within a bound shared by all
/// lists. Slots are allocated in chunks, so unused lists take no memory.
/// </summary>
internal sealed class SlotPool
{
    private const int ChunkSlots = SlotChunk.Slots;
    private const int PageSlots = 1 << 10;
    private static readonly int[] BlockSizes = [8, 32, 128, 512];

    /// <summary>Share of the bound up to which a size may take new memory: long lists must leave room for an item's first list.</summary>
    private static readonly double[] Shares = [1, 0.9, 0.75, 0.5];
    private readonly int _maxChunks;
    private readonly List<SlotChunk> _chunks = [];
    private readonly List<int>[] _free =
    [
        [],
        [],
        [],
        [],
    ];
    private readonly int[] _next = new int[4];
    private int _nextPage;

    /// <summary>Creates an empty pool.</summary>
    /// <param name="maxBytes">Maximum size of the slots in bytes, rounded up to whole chunks of 1 MiB.</param>
    public SlotPool(long maxBytes)
    {
        const long ChunkBytes = (long)ChunkSlots * SlotChunk.SlotBytes;
        _maxChunks = (int)Math.Min((maxBytes + ChunkBytes - 1) / ChunkBytes, int.MaxValue / ChunkSlots);
    }

    /// <summary>Gets the number of block sizes.</summary>
    public static int Sizes => BlockSizes.Length;

    /// <summary>Gets the allocated bytes, of which an eighth is not slots.</summary>
    public long Bytes => (long)_chunks.Count * SlotChunk.Bytes;

    /// <summary>The slots of a block of a size, 0 … <see cref="Sizes"/> − 1.</summary>
    public static int SlotsOf(int size) => BlockSizes[size];

    /// <summary>Allocates a block; its contents are undefined.</summary>
    /// <returns>Its first slot; −1 when the bound is reached.</returns>
    public int Allocate(int size)
    {
        if (_free[size] is { Count: > 0 } free)
        {
            int block = free[^1];
            free.RemoveAt(free.Count - 1);
            return Begin(block, size);
        }

        if (_next[size] % PageSlots == 0)
        {
            if (
                _nextPage >= Shares[size] * _maxChunks * (ChunkSlots / PageSlots)
                || (_nextPage == _chunks.Count * (ChunkSlots / PageSlots) && !AddChunk())
            )
            {
                return -1;
            }

            _next[size] = _nextPage++ * PageSlots;
        }

        // Sizes divide the page, so a block never crosses a page. The end of a page means that the next one is needed.
        int start = _next[size];
        _next[size] = start + BlockSizes[size];
        return Begin(start, size);
    }

    /// <summary>Frees a block.</summary>
    public void Free(int block, int size) => _free[size].Add(block);

    /// <summary>The keys of a block, for reading.</summary>
    public ReadOnlySpan<ulong> Keys(int block, int count) => ChunkOf(block).Keys.Slice(block % ChunkSlots, count);

    /// <summary>The weights of a block, for reading.</summary>
    public ReadOnlySpan<float> Weights(int block, int count) => ChunkOf(block).Weights.Slice(block % ChunkSlots, count);

    /// <summary>The errors of a block, for reading.</summary>
    public ReadOnlySpan<float> Errors(int block, int count) => ChunkOf(block).Errors.Slice(block % ChunkSlots, count);

    /// <summary>Loads what finding a key in a block reads.</summary>
    public void Expect(int block, int count) => ChunkOf(block).Expect(block % ChunkSlots, count);

    /// <summary>The place of a key among the slots in use of a block, or −1.</summary>
    public int Find(int block, int count, ulong key) => ChunkOf(block).Find(block % ChunkSlots, count, key);

    /// <summary>The place of the first slot with the least weight, of a block of a size whose slots are all in use.</summary>
    public int Lightest(int block, int size) => ChunkOf(block).Lightest(block % ChunkSlots, BlockSizes[size]);

    /// <summary>Writes a slot. The weight of a slot in use must not fall.</summary>
    public void Set(int slot, ulong key, float weight, float error) => ChunkOf(slot).Set(slot % ChunkSlots, key, weight, error);

    /// <summary>Adds to the weight of a slot, 0 or more.</summary>
    public void Add(int slot, float weight) => ChunkOf(slot).Add(slot % ChunkSlots, weight);

    /// <summary>Multiplies every weight.</summary>
    public void Scale(float factor)
    {
        foreach (SlotChunk chunk in _chunks)
        {
            chunk.Scale(factor);
        }
    }

    public void Save(TensorSet tensors, string name)
    {
        tensors.Add<int>($"{name}.pool", [_chunks.Count, _nextPage, .. _next]);
        for (int size = 0; size < Sizes; size++)
        {
            tensors.Add<int>($"{name}.free{size}", System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_free[size]));
        }

        for (int chunk = 0; chunk < _chunks.Count; chunk++)
        {
            _chunks[chunk].Save(tensors, name, chunk);
        }
    }

    /// <exception cref="StateMismatchException">The state does not belong to a pool.</exception>
    public void Load(TensorReader tensors, string name)
    {
        int[] pool = tensors.ReadArray<int>($"{name}.pool", 2 + Sizes);
        int pages = pool.Length == 2 + Sizes && pool[0] is >= 0 and <= int.MaxValue / ChunkSlots ? pool[0] * (ChunkSlots / PageSlots) : -1;
        if (pages < 0 || pool[1] < 0 || pool[1] > pages || pool[2..].Any(next => next < 0 || next > pages * PageSlots))
        {
            throw new StateMismatchException($"Tensor {name}.pool is [{string.Join(", ", pool)}], which is not the state of a count pool.");
        }

        // Keep chunks beyond the bound: a smaller bound only stops growth.
        _chunks.Clear();
        for (int chunk = 0; chunk < pool[0]; chunk++)
        {
            _chunks.Add(new SlotChunk());
            _chunks[chunk].Load(tensors, name, chunk);
        }

        _nextPage = pool[1];
        pool.AsSpan(2).CopyTo(_next);
        for (int size = 0; size < Sizes; size++)
        {
            int[] free = tensors.ReadArray<int>($"{name}.free{size}", (pages * PageSlots / BlockSizes[size]) + 1);
            if (free.Any(block => !IsBlock(block, size)))
            {
                throw new StateMismatchException($"Tensor {name}.free{size} names a block outside the pool.");
            }

            _free[size].Clear();
            _free[size].AddRange(free);
        }
    }

    /// <summary>Whether a block of a size can begin at a slot.</summary>
    public bool IsBlock(int block, int size) =>
        block >= 0 && block % BlockSizes[size] == 0 && block + BlockSizes[size] <= _chunks.Count * ChunkSlots;

    private int Begin(int block, int size)
    {
        ChunkOf(block).Begin(block % ChunkSlots, BlockSizes[size]);
        return block;
    }

    private bool AddChunk()
    {
        if (_chunks.Count >= _maxChunks)
        {
            return false;
        }

        _chunks.Add(new SlotChunk());
        return true;
    }

    private SlotChunk ChunkOf(int slot) => _chunks[slot / ChunkSlots];
}
