using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Streaming.Kernels.Search;

/// <summary>Masks over rows, a byte a row, not 0 where a condition holds: computed over columns.</summary>
public static class RowMasks
{
    /// <summary>The most codes that <see cref="AddEqual"/> compares.</summary>
    public const int MaxCompared = 4;

    private const byte Yes = 0xFF;

    /// <summary>Adds the rows that have one of up to four codes.</summary>
    /// <param name="codes">One code a row.</param>
    /// <param name="wanted">The codes, 1 to <see cref="MaxCompared"/>.</param>
    /// <param name="mask">In and out, as long as the codes.</param>
    /// <exception cref="ArgumentException">The lengths differ, or the number of codes is out of range.</exception>
    public static void AddEqual(ReadOnlySpan<int> codes, ReadOnlySpan<int> wanted, Span<byte> mask)
    {
        Check(codes.Length, mask);
        ArgumentOutOfRangeException.ThrowIfZero(wanted.Length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(wanted.Length, MaxCompared);
        int done = wanted.Length == 1 ? AddOne(codes, wanted[0], mask) : AddFour(codes, wanted, mask);
        for (int row = done; row < codes.Length; row++)
        {
            mask[row] |= wanted.Contains(codes[row]) ? Yes : (byte)0;
        }
    }

    /// <summary>Adds the rows that have one of several codes.</summary>
    /// <param name="codes">One code a row, each an index of <paramref name="wanted"/>.</param>
    /// <param name="wanted">Whether a code is wanted (not 0).</param>
    /// <param name="mask">In and out, as long as the codes.</param>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static void AddAny(ReadOnlySpan<int> codes, ReadOnlySpan<byte> wanted, Span<byte> mask)
    {
        Check(codes.Length, mask);
        for (int row = 0; row < codes.Length; row++)
        {
            // A code from after the table was made is not one of those that were asked for.
            int code = codes[row];
            mask[row] |= code < wanted.Length ? wanted[code] : (byte)0;
        }
    }

    /// <summary>Adds the rows whose number lies within bounds, both included. NaN never does.</summary>
    /// <param name="numbers">One number a row.</param>
    /// <param name="from">The least number.</param>
    /// <param name="to">The greatest number.</param>
    /// <param name="mask">In and out, as long as the numbers.</param>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static void AddWithin(ReadOnlySpan<double> numbers, double from, double to, Span<byte> mask)
    {
        Check(numbers.Length, mask);
        ref double start = ref MemoryMarshal.GetReference(numbers);
        ref byte output = ref MemoryMarshal.GetReference(mask);
        Vector<double> least = new(from),
            most = new(to);
        int row = 0;
        for (; row <= numbers.Length - Vector<byte>.Count; row += Vector<byte>.Count)
        {
            Add(
                Within(ref start, row, 0, least, most),
                Within(ref start, row, 1, least, most),
                Within(ref start, row, 2, least, most),
                Within(ref start, row, 3, least, most),
                ref Unsafe.Add(ref output, row)
            );
        }

        for (; row < numbers.Length; row++)
        {
            mask[row] |= numbers[row] >= from && numbers[row] <= to ? Yes : (byte)0;
        }
    }

    /// <summary>Keeps the rows that are in the other mask too.</summary>
    /// <param name="other">The other mask, of bytes that are 0 or 255.</param>
    /// <param name="mask">In and out.</param>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static void Keep(ReadOnlySpan<byte> other, Span<byte> mask)
    {
        Check(other.Length, mask);
        TensorPrimitives.BitwiseAnd(other, mask, mask);
    }

    /// <summary>Drops the rows that are in the other mask.</summary>
    /// <param name="other">The other mask, of bytes that are 0 or 255; overwritten by its complement.</param>
    /// <param name="mask">In and out.</param>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static void Drop(Span<byte> other, Span<byte> mask)
    {
        TensorPrimitives.OnesComplement(other, other);
        Keep(other, mask);
    }

    /// <summary>Multiplies the scores of the mask's rows; divides where a score is negative, so that a factor above 1 always
    /// raises it.</summary>
    /// <param name="mask">The rows.</param>
    /// <param name="factor">Above 0.</param>
    /// <param name="scores">In and out, as long as the mask.</param>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static void Scale(ReadOnlySpan<byte> mask, float factor, Span<float> scores)
    {
        Check(scores.Length, mask);
        ref byte rows = ref MemoryMarshal.GetReference(mask);
        ref float start = ref MemoryMarshal.GetReference(scores);
        int row = 0;
        for (; row <= mask.Length - Vector<byte>.Count; row += Vector<byte>.Count)
        {
            Vector.Widen(Vector.LoadUnsafe(ref rows, (nuint)row), out Vector<ushort> low, out Vector<ushort> high);
            Scale(low, factor, ref Unsafe.Add(ref start, row));
            Scale(high, factor, ref Unsafe.Add(ref start, row + Vector<ushort>.Count));
        }

        for (; row < mask.Length; row++)
        {
            scores[row] = mask[row] != 0 ? Scaled(scores[row], factor) : scores[row];
        }
    }

    /// <summary>A score raised by a factor as the mask's rows are.</summary>
    public static float Scaled(float score, float factor) => score < 0 ? score / factor : score * factor;

    /// <summary>Lists the rows of a mask, if they are few.</summary>
    /// <param name="mask">The mask.</param>
    /// <param name="most">The most rows that are few.</param>
    /// <param name="rows">Receives the rows, increasing; as long as the mask.</param>
    /// <returns>The number of rows; −1: there are more.</returns>
    public static int ListFew(ReadOnlySpan<byte> mask, int most, Span<int> rows)
    {
        int count = mask.Length - mask.Count((byte)0);
        if (count > most)
        {
            return -1;
        }

        int from = 0;
        for (int i = 0; i < count; i++)
        {
            from += mask[from..].IndexOfAnyExcept((byte)0);
            rows[i] = from++;
        }

        return count;
    }

    private static int AddOne(ReadOnlySpan<int> codes, int wanted, Span<byte> mask)
    {
        ref int start = ref MemoryMarshal.GetReference(codes);
        ref byte output = ref MemoryMarshal.GetReference(mask);
        Vector<int> one = new(wanted);
        int row = 0;
        for (; row <= codes.Length - Vector<byte>.Count; row += Vector<byte>.Count)
        {
            Add(
                Vector.Equals(Load(ref start, row, 0), one),
                Vector.Equals(Load(ref start, row, 1), one),
                Vector.Equals(Load(ref start, row, 2), one),
                Vector.Equals(Load(ref start, row, 3), one),
                ref Unsafe.Add(ref output, row)
            );
        }

        return row;
    }

    private static int AddFour(ReadOnlySpan<int> codes, ReadOnlySpan<int> wanted, Span<byte> mask)
    {
        ref int start = ref MemoryMarshal.GetReference(codes);
        ref byte output = ref MemoryMarshal.GetReference(mask);
        Vector<int> a = new(wanted[0]),
            b = new(wanted[1]),
            c = new(wanted[Math.Min(2, wanted.Length - 1)]),
            d = new(wanted[^1]);
        int row = 0;
        for (; row <= codes.Length - Vector<byte>.Count; row += Vector<byte>.Count)
        {
            Add(
                AnyOf(Load(ref start, row, 0), a, b, c, d),
                AnyOf(Load(ref start, row, 1), a, b, c, d),
                AnyOf(Load(ref start, row, 2), a, b, c, d),
                AnyOf(Load(ref start, row, 3), a, b, c, d),
                ref Unsafe.Add(ref output, row)
            );
        }

        return row;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<int> Load(ref int start, int row, int part) =>
        Vector.LoadUnsafe(ref start, (nuint)(row + (part * Vector<int>.Count)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<int> AnyOf(Vector<int> codes, Vector<int> a, Vector<int> b, Vector<int> c, Vector<int> d) =>
        Vector.Equals(codes, a) | Vector.Equals(codes, b) | Vector.Equals(codes, c) | Vector.Equals(codes, d);

    /// <summary>Adds comparisons of as many rows as a vector has bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add(Vector<int> first, Vector<int> second, Vector<int> third, Vector<int> fourth, ref byte output)
    {
        var all = Vector.AsVectorByte(Vector.Narrow(Vector.Narrow(first, second), Vector.Narrow(third, fourth)));
        (all | Vector.LoadUnsafe(ref output)).StoreUnsafe(ref output);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<int> Within(ref double start, int row, int part, Vector<double> least, Vector<double> most)
    {
        var low = Vector.LoadUnsafe(ref start, (nuint)(row + (part * Vector<int>.Count)));
        var high = Vector.LoadUnsafe(ref start, (nuint)(row + (part * Vector<int>.Count) + Vector<double>.Count));
        return Vector.Narrow(
            Vector.GreaterThanOrEqual(low, least) & Vector.LessThanOrEqual(low, most),
            Vector.GreaterThanOrEqual(high, least) & Vector.LessThanOrEqual(high, most)
        );
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Scale(Vector<ushort> mask, float factor, ref float scores)
    {
        Vector.Widen(mask, out Vector<uint> low, out Vector<uint> high);
        Scale(low, factor, ref scores);
        Scale(high, factor, ref Unsafe.Add(ref scores, Vector<float>.Count));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Scale(Vector<uint> mask, float factor, ref float scores)
    {
        var old = Vector.LoadUnsafe(ref scores);
        Vector<float> by = new(factor),
            scaled = Vector.ConditionalSelect(Vector.LessThan(old, Vector<float>.Zero), old / by, old * by);
        Vector.ConditionalSelect(Vector.AsVectorInt32(Vector.Equals(mask, Vector<uint>.Zero)), old, scaled).StoreUnsafe(ref scores);
    }

    private static void Check(int rows, ReadOnlySpan<byte> mask)
    {
        if (rows != mask.Length)
        {
            throw new ArgumentException($"The mask has {mask.Length} rows; allowed: {rows}.", nameof(mask));
        }
    }
}
