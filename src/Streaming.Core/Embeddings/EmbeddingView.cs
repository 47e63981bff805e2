using System.Buffers.Binary;

namespace Streaming.Core.Embeddings;

/// <summary>A validated embedding value, opened for reading. Points into the original bytes.</summary>
public readonly ref struct EmbeddingView
{
    private readonly ReadOnlySpan<byte> _value;
    private readonly int _header;

    internal EmbeddingView(ReadOnlySpan<byte> value, int header)
    {
        _value = value;
        _header = header;
    }

    /// <summary>Gets how a number is stored.</summary>
    public EmbeddingElement Element => (EmbeddingElement)_value[EmbeddingLayout.ElementAt];

    /// <summary>Gets the full width D.</summary>
    public int Dimension => BinaryPrimitives.ReadUInt16LittleEndian(_value[EmbeddingLayout.DimensionAt..]);

    /// <summary>Gets the number of nested widths, K.</summary>
    public int WidthCount => _value[EmbeddingLayout.WidthCountAt];

    /// <summary>Gets a value indicating whether the norm of each width's prefix is stored.</summary>
    public bool HasNorms => _value[EmbeddingLayout.FlagsAt] == EmbeddingLayout.NormsFlag;

    /// <summary>Gets the scale of the stored numbers: 1 except for <see cref="EmbeddingElement.Int8"/>.</summary>
    public float Scale => BinaryPrimitives.ReadSingleLittleEndian(_value[EmbeddingLayout.ScaleAt..]);

    /// <summary>Gets generation, token, step and event time.</summary>
    public EmbeddingStamp Stamp =>
        new(
            BinaryPrimitives.ReadUInt32LittleEndian(_value[EmbeddingLayout.GenerationAt..]),
            BinaryPrimitives.ReadUInt32LittleEndian(_value[EmbeddingLayout.TokenAt..]),
            ReadUInt48(_value[EmbeddingLayout.StepAt..]),
            ReadUInt48(_value[EmbeddingLayout.EventTimeAt..])
        );

    /// <summary>Gets a nested width by index.</summary>
    /// <param name="index">0 … <see cref="WidthCount"/> − 1.</param>
    public int Width(int index)
    {
        CheckIndex(index);
        return BinaryPrimitives.ReadUInt16LittleEndian(_value[(EmbeddingLayout.FixedLength + (2 * index))..]);
    }

    /// <summary>Gets the Euclidean norm of a width's prefix, computed before quantisation, to float16 precision.</summary>
    /// <param name="index">0 … <see cref="WidthCount"/> − 1.</param>
    /// <exception cref="InvalidOperationException">No norms are stored.</exception>
    public float Norm(int index)
    {
        CheckIndex(index);
        return HasNorms
            ? (float)BinaryPrimitives.ReadHalfLittleEndian(_value[(EmbeddingLayout.FixedLength + (2 * (WidthCount + index)))..])
            : throw new InvalidOperationException("The value stores no norms; compute the norm from the vector.");
    }

    /// <summary>Decodes the first <c>destination.Length</c> numbers. Any prefix is allowed, but only the nested widths were
    /// trained.</summary>
    /// <param name="destination">Receives the prefix; 0 … <see cref="Dimension"/> long.</param>
    /// <exception cref="ArgumentException">The destination is longer than the vector.</exception>
    public void Decode(Span<float> destination)
    {
        if (destination.Length > Dimension)
        {
            throw new ArgumentException(
                $"Width {destination.Length} was requested from a vector of width {Dimension}.",
                nameof(destination)
            );
        }

        ElementCoding.Decode(Element, _value[_header..], Scale, destination);
    }

    private static long ReadUInt48(ReadOnlySpan<byte> source) =>
        BinaryPrimitives.ReadUInt32LittleEndian(source) | ((long)BinaryPrimitives.ReadUInt16LittleEndian(source[4..]) << 32);

    private void CheckIndex(int index) =>
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)WidthCount, nameof(index));
}
