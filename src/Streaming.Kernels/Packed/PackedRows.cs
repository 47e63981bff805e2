using System.Runtime.InteropServices;

namespace Streaming.Kernels.Packed;

/// <summary>
/// Vectors cut into increments of 16 numbers and kept increment by increment: the first 16 numbers of all rows, then the
/// next 16 of all rows. A pass over a narrow width then reads what it needs and nothing between.
/// </summary>
public readonly ref struct PackedRows
{
    /// <summary>Numbers of a row that lie together.</summary>
    public const int Increment = 16;

    /// <summary>Gets the numbers [increments × <see cref="Capacity"/> × 16].</summary>
    public required Span<byte> Values { get; init; }

    /// <summary>Gets how a number is stored.</summary>
    public required RowElement Element { get; init; }

    /// <summary>Gets the number of rows that there is room for.</summary>
    public required int Capacity { get; init; }

    /// <summary>Bytes of a number.</summary>
    public static int Size(RowElement element) => element switch { RowElement.Float32 => sizeof(float), RowElement.Float16 => sizeof(ushort), _ => sizeof(sbyte) };

    /// <summary>The numbers of a row of a width: whole increments.</summary>
    public static int Padded(int width) => (width + Increment - 1) / Increment * Increment;

    /// <summary>Bytes that rows take.</summary>
    /// <param name="element">How a number is stored.</param>
    /// <param name="capacity">Rows.</param>
    /// <param name="width">Numbers of a row.</param>
    public static int Bytes(RowElement element, int capacity, int width) => checked(Size(element) * capacity * Padded(width));

    /// <summary>Stores a vector; what is left of its last increment becomes 0.</summary>
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

    /// <summary>Reads the first numbers of a row.</summary>
    /// <param name="row">The row.</param>
    /// <param name="scale">Its scale.</param>
    /// <param name="vector">Receives them.</param>
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
