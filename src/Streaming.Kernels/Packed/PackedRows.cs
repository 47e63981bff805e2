using System.Runtime.InteropServices;

namespace Streaming.Kernels.Packed;

/// <summary>
/// Vectors stored by increments of 16 numbers: the first 16 numbers of all rows, then the next 16 of all rows. A scan at a
/// narrow width reads only what it needs.
/// </summary>
public readonly ref struct PackedRows
{
    /// <summary>Contiguous numbers per row.</summary>
    public const int Increment = 16;

    /// <summary>Gets the numbers [increments × <see cref="Capacity"/> × 16].</summary>
    public required Span<byte> Values { get; init; }

    /// <summary>Gets the element type.</summary>
    public required RowElement Element { get; init; }

    /// <summary>Gets the maximum number of rows.</summary>
    public required int Capacity { get; init; }

    /// <summary>Bytes per number.</summary>
    public static int Size(RowElement element) =>
        element switch
        {
            RowElement.Float32 => sizeof(float),
            RowElement.Float16 => sizeof(ushort),
            _ => sizeof(sbyte),
        };

    /// <summary>The numbers stored per row at a width: whole increments.</summary>
    public static int Padded(int width) => (width + Increment - 1) / Increment * Increment;

    /// <summary>Bytes of storage for rows.</summary>
    /// <param name="element">Element type.</param>
    /// <param name="capacity">Rows.</param>
    /// <param name="width">Numbers per row.</param>
    public static int Bytes(RowElement element, int capacity, int width) => checked(Size(element) * capacity * Padded(width));

    /// <summary>Stores a vector; zero-fills its last increment.</summary>
    /// <param name="row">The row.</param>
    /// <param name="vector">Its numbers: as many as a row has, or up to 15 fewer.</param>
    /// <returns>The row's scale: 1 unless the element is <see cref="RowElement.Int8"/>, then max|x| / 127.</returns>
    public float Write(int row, ReadOnlySpan<float> vector)
    {
        float scale = 1;
        if (Element == RowElement.Int8)
        {
            float largest = 0;
            foreach (float value in vector)
            {
                largest = MathF.Max(largest, MathF.Abs(value));
            }

            scale = largest > 0 ? largest / 127 : 1;
        }

        for (int i = 0; i < Padded(vector.Length); i++)
        {
            Put(row, i, i < vector.Length ? vector[i] : 0, scale);
        }

        return scale;
    }

    /// <summary>Reads a prefix of a row.</summary>
    /// <param name="row">The row.</param>
    /// <param name="scale">Its scale.</param>
    /// <param name="vector">Receives the prefix.</param>
    public void Read(int row, float scale, Span<float> vector)
    {
        for (int i = 0; i < vector.Length; i++)
        {
            int at = Place(row, i);
            vector[i] = Element switch
            {
                RowElement.Float32 => MemoryMarshal.Cast<byte, float>(Values)[at],
                RowElement.Float16 => (float)MemoryMarshal.Cast<byte, Half>(Values)[at],
                _ => (sbyte)Values[at] * scale,
            };
        }
    }

    private void Put(int row, int column, float value, float scale)
    {
        int at = Place(row, column);
        switch (Element)
        {
            case RowElement.Float32:
                MemoryMarshal.Cast<byte, float>(Values)[at] = value;
                break;
            case RowElement.Float16:
                MemoryMarshal.Cast<byte, Half>(Values)[at] = (Half)value;
                break;
            default:
                Values[at] = (byte)(sbyte)Math.Clamp(MathF.Round(value / scale), -127, 127);
                break;
        }
    }

    private int Place(int row, int column) => (((column / Increment * Capacity) + row) * Increment) + (column % Increment);
}
