namespace Streaming.Core.Embeddings;

/// <summary>The format shared by all values of a generation: element type, nested widths, and whether norms are stored.</summary>
public sealed class EmbeddingFormat
{
    /// <summary>The maximum number of widths in a value.</summary>
    public const int MaxWidths = 32;

    /// <summary>The largest dimension.</summary>
    public const int MaxDimension = ushort.MaxValue;

    private readonly int[] _widths;

    /// <summary>Initializes a new instance of the <see cref="EmbeddingFormat"/> class.</summary>
    /// <param name="element">How a number is stored.</param>
    /// <param name="widths">The nested widths, strictly increasing, 1 … 65,535 each, 1 … 32 of them; the last is the dimension.</param>
    /// <param name="norms">Whether to store the Euclidean norm of each width's prefix, for cosine scores.</param>
    /// <exception cref="ArgumentException">The element is unknown or the widths are invalid.</exception>
    public EmbeddingFormat(EmbeddingElement element, IReadOnlyList<int> widths, bool norms = false)
    {
        ArgumentNullException.ThrowIfNull(widths);
        if (element > EmbeddingElement.Int8)
        {
            throw new ArgumentException($"Element is {element}; allowed: Float32, Float16, Int8.", nameof(element));
        }

        CheckWidths(widths);
        Element = element;
        _widths = [.. widths];
        HasNorms = norms;
        HeaderLength = EmbeddingLayout.FixedLength + (widths.Count * (norms ? 4 : 2));
        Length = HeaderLength + (Dimension * EmbeddingLayout.ElementLength(element));
    }

    /// <summary>Gets how a number is stored.</summary>
    public EmbeddingElement Element { get; }

    /// <summary>Gets the nested widths, strictly increasing.</summary>
    public ReadOnlySpan<int> Widths => _widths;

    /// <summary>Gets the full width D.</summary>
    public int Dimension => _widths[^1];

    /// <summary>Gets a value indicating whether the norm of each prefix is stored.</summary>
    public bool HasNorms { get; }

    /// <summary>Gets the number of bytes before the vector.</summary>
    public int HeaderLength { get; }

    /// <summary>Gets the number of bytes of a whole value.</summary>
    public int Length { get; }

    private static void CheckWidths(IReadOnlyList<int> widths)
    {
        bool right = widths.Count is >= 1 and <= MaxWidths && widths[0] >= 1 && widths[^1] <= MaxDimension;
        for (int i = 1; i < widths.Count; i++)
        {
            right &= widths[i] > widths[i - 1];
        }

        if (!right)
        {
            throw new ArgumentException(
                $"Widths is {string.Join(',', widths)}; allowed: 1 to {MaxWidths} strictly increasing numbers of 1 to {MaxDimension}.",
                nameof(widths)
            );
        }
    }
}
