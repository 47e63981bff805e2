using Streaming.Models.State;

namespace Streaming.Learning.Counts;

/// <summary>
/// Memory of short lists: blocks of 8, 32, 128 or 512 slots, each a key, a weight and its error, within a bound shared by all
/// lists. Slots are allocated in chunks, so unused lists take no memory.
/// </summary>
internal sealed class SlotPool
{
    /// <summary>A key, a weight and its error.</summary>
    public const int SlotBytes = sizeof(ulong) + (2 * sizeof(float));

    private const int ChunkSlots = 1 << 16;
    private const int PageSlots = 1 << 10;
    private static readonly int[] BlockSizes = [8, 32, 128, 512];

    /// <summary>Share of the bound up to which a size may take new memory: long lists must leave room for an item's first list.</summary>
    private static readonly double[] Shares = [1, 0.9, 0.75, 0.5];
    private readonly int _maxChunks;
    private readonly List<PagedArray<ulong>> _keys = [];
    private readonly List<PagedArray<float>> _weights = [];
    private readonly List<PagedArray<float>> _errors = [];
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
    /// <param name="maxBytes">Maximum size in bytes, rounded up to whole chunks of 1 MiB.</param>
    public SlotPool(long maxBytes) =>
        _maxChunks = (int)
            Math.Min((maxBytes + ((long)ChunkSlots * SlotBytes) - 1) / ((long)ChunkSlots * SlotBytes), int.MaxValue / ChunkSlots);

    /// <summary>Gets the number of block sizes.</summary>
    public static int Sizes => BlockSizes.Length;

    /// <summary>Gets the allocated bytes.</summary>
    public long Bytes => (long)_keys.Count * ChunkSlots * SlotBytes;

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
            return block;
        }

        if (_next[size] % PageSlots == 0)
        {
            if (
                _nextPage >= Shares[size] * _maxChunks * (ChunkSlots / PageSlots)
                || (_nextPage == _keys.Count * (ChunkSlots / PageSlots) && !AddChunk())
            )
            {
                return -1;
            }

            _next[size] = _nextPage++ * PageSlots;
        }

        // Sizes divide the page, so a block never crosses a page. The end of a page means that the next one is needed.
        int start = _next[size];
        _next[size] = start + BlockSizes[size];
        return start;
    }

    /// <summary>Frees a block.</summary>
    public void Free(int block, int size) => _free[size].Add(block);

    /// <summary>The keys of a block, for reading.</summary>
    public ReadOnlySpan<ulong> Keys(int block, int count) => _keys[block / ChunkSlots].Data.Slice(block % ChunkSlots, count);

    /// <summary>The weights of a block, for reading.</summary>
    public ReadOnlySpan<float> Weights(int block, int count) => _weights[block / ChunkSlots].Data.Slice(block % ChunkSlots, count);

    /// <summary>The errors of a block, for reading.</summary>
    public ReadOnlySpan<float> Errors(int block, int count) => _errors[block / ChunkSlots].Data.Slice(block % ChunkSlots, count);

    /// <summary>Writes a slot.</summary>
    public void Set(int slot, ulong key, float weight, float error)
    {
        _keys[slot / ChunkSlots].Change(slot % ChunkSlots) = key;
        _weights[slot / ChunkSlots].Change(slot % ChunkSlots) = weight;
        _errors[slot / ChunkSlots].Change(slot % ChunkSlots) = error;
    }

    /// <summary>Adds to the weight of a slot.</summary>
    public void Add(int slot, float weight) => _weights[slot / ChunkSlots].Change(slot % ChunkSlots) += weight;

    /// <summary>Multiplies every weight.</summary>
    public void Scale(float factor)
    {
        foreach (PagedArray<float> numbers in _weights.Concat(_errors))
        {
            numbers.Touch(0, ChunkSlots);
            System.Numerics.Tensors.TensorPrimitives.Multiply(numbers.Data, factor, numbers.Data);
        }
    }

    public void Save(TensorSet tensors, string name)
    {
        tensors.Add<int>($"{name}.pool", [_keys.Count, _nextPage, .. _next]);
        for (int size = 0; size < Sizes; size++)
        {
            tensors.Add<int>($"{name}.free{size}", System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_free[size]));
        }

        for (int chunk = 0; chunk < _keys.Count; chunk++)
        {
            tensors.Share($"{name}.keys{chunk}", _keys[chunk]);
            tensors.Share($"{name}.weights{chunk}", _weights[chunk]);
            tensors.Share($"{name}.errors{chunk}", _errors[chunk]);
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
        _keys.Clear();
        _weights.Clear();
        _errors.Clear();
        for (int chunk = 0; chunk < pool[0]; chunk++)
        {
            NewChunk();
            tensors.Read($"{name}.keys{chunk}", _keys[chunk].Data);
            tensors.Read($"{name}.weights{chunk}", _weights[chunk].Data);
            tensors.Read($"{name}.errors{chunk}", _errors[chunk].Data);
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
        block >= 0 && block % BlockSizes[size] == 0 && block + BlockSizes[size] <= _keys.Count * ChunkSlots;

    private bool AddChunk()
    {
        if (_keys.Count >= _maxChunks)
        {
            return false;
        }

        NewChunk();
        return true;
    }

    private void NewChunk()
    {
        _keys.Add(new PagedArray<ulong>(ChunkSlots));
        _weights.Add(new PagedArray<float>(ChunkSlots));
        _errors.Add(new PagedArray<float>(ChunkSlots));
    }
}
