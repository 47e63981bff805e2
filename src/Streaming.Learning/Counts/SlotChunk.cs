using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Streaming.Kernels.Simd;
using Streaming.Models.State;

namespace Streaming.Learning.Counts;

/// <summary>
/// A part of a <see cref="SlotPool"/>: slots, and what finds one of a long list without reading the list. Neither of the latter is stored:
/// 16 bits of each key, and of each <see cref="GroupSlots"/> slots a weight that none of theirs is below.
/// </summary>
/// <remarks>Weights of a list only grow, so a bound stays one until the list is given up or all weights are scaled.</remarks>
internal sealed class SlotChunk
{
    /// <summary>Number of slots.</summary>
    public const int Slots = 1 << 16;

    /// <summary>A key, a weight and its error.</summary>
    public const int SlotBytes = sizeof(ulong) + (2 * sizeof(float));

    // Of fewer keys, the keys themselves are found sooner: they are one cache line.
    private const int FewKeys = 8;
    private const int GroupSlots = 32;
    private readonly PagedArray<ulong> _keys = new(Slots);
    private readonly PagedArray<float> _weights = new(Slots);
    private readonly PagedArray<float> _errors = new(Slots);
    private readonly ushort[] _tags = new ushort[Slots];
    private readonly float[] _bounds = new float[Slots / GroupSlots];

    /// <summary>Gets the size in bytes, with what is not stored.</summary>
    public static int Bytes => (Slots * (SlotBytes + sizeof(ushort))) + (Slots / GroupSlots * sizeof(float));

    /// <summary>Gets the keys, for reading.</summary>
    public ReadOnlySpan<ulong> Keys => _keys.Data;

    /// <summary>Gets the weights, for reading.</summary>
    public ReadOnlySpan<float> Weights => _weights.Data;

    /// <summary>Gets the errors, for reading.</summary>
    public ReadOnlySpan<float> Errors => _errors.Data;

    /// <summary>Begins a list: nothing is known of its weights.</summary>
    public void Begin(int slot, int count) => _bounds.AsSpan(slot / GroupSlots, count / GroupSlots).Clear();

    /// <summary>Loads what <see cref="Find"/> and <see cref="Lightest"/> read first.</summary>
    public void Expect(int slot, int count)
    {
        if (count <= FewKeys)
        {
            Prefetch.Read<ulong>(_keys.Data.Slice(slot, count));
        }
        else
        {
            Prefetch.Read<ushort>(_tags.AsSpan(slot, count));
            Prefetch.Read<float>(_bounds.AsSpan(slot / GroupSlots, count / GroupSlots));
        }
    }

    /// <summary>Writes a slot.</summary>
    public void Set(int slot, ulong key, float weight, float error)
    {
        _keys.Change(slot) = key;
        _weights.Change(slot) = weight;
        _errors.Change(slot) = error;
        _tags[slot] = Tag(key);
    }

    /// <summary>Adds to the weight of a slot.</summary>
    public void Add(int slot, float weight) => _weights.Change(slot) += weight;

    /// <summary>Finds a key.</summary>
    /// <returns>Its place among the slots; −1 if none of them has it.</returns>
    public int Find(int slot, int count, ulong key)
    {
        ReadOnlySpan<ulong> keys = _keys.Data.Slice(slot, count);
        if (count <= FewKeys)
        {
            return keys.IndexOf(key);
        }

        ReadOnlySpan<ushort> tags = _tags.AsSpan(slot, count);
        for (int from = 0; from < tags.Length; from++)
        {
            int at = tags[from..].IndexOf(Tag(key));
            if (at < 0)
            {
                break;
            }

            from += at;
            if (keys[from] == key)
            {
                return from;
            }
        }

        return -1;
    }

    /// <summary>The place of the first slot with the least weight of a list that is full.</summary>
    public int Lightest(int slot, int count)
    {
        ReadOnlySpan<float> weights = _weights.Data.Slice(slot, count);
        Span<float> bounds = _bounds.AsSpan(slot / GroupSlots, count / GroupSlots);
        if (bounds.IsEmpty)
        {
            return IndexOfMin(weights);
        }

        while (true)
        {
            // The lowest bound is the least weight if a slot of its group has it; else it is too low.
            int group = IndexOfMin(bounds);
            int first = group * GroupSlots;
            int lightest = first + IndexOfMin(weights.Slice(first, GroupSlots));
            if (weights[lightest] <= bounds[group])
            {
                return lightest;
            }

            bounds[group] = weights[lightest];
        }
    }

    /// <summary>Multiplies every weight and error.</summary>
    public void Scale(float factor)
    {
        foreach (PagedArray<float> numbers in (ReadOnlySpan<PagedArray<float>>)[_weights, _errors])
        {
            numbers.Touch(0, Slots);
            TensorPrimitives.Multiply(numbers.Data, factor, numbers.Data);
        }

        _bounds.AsSpan().Clear();
    }

    public void Save(TensorSet tensors, string name, int chunk)
    {
        tensors.Share($"{name}.keys{chunk}", _keys);
        tensors.Share($"{name}.weights{chunk}", _weights);
        tensors.Share($"{name}.errors{chunk}", _errors);
    }

    public void Load(TensorReader tensors, string name, int chunk)
    {
        tensors.Read($"{name}.keys{chunk}", _keys.Data);
        tensors.Read($"{name}.weights{chunk}", _weights.Data);
        tensors.Read($"{name}.errors{chunk}", _errors.Data);
        for (int slot = 0; slot < Slots; slot++)
        {
            _tags[slot] = Tag(_keys[slot]);
        }
    }

    // The first of equal ones. Weights are not negative and not NaN, so their bits are equal if they are; two passes over so few numbers
    // are faster than TensorPrimitives' one, which keeps indices.
    private static int IndexOfMin(ReadOnlySpan<float> weights) =>
        MemoryMarshal.Cast<float, int>(weights).IndexOf(BitConverter.SingleToInt32Bits(TensorPrimitives.Min(weights)));

    private static ushort Tag(ulong key) => (ushort)key;
}
