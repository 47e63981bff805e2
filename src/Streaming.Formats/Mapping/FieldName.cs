namespace Streaming.Formats.Mapping;

/// <summary>Compares names ignoring case, underscores, hyphens and spaces: user_id, userId and "User ID" are equal.</summary>
public static class FieldName
{
    /// <summary>Maximum length of a compared name in bytes.</summary>
    public const int MaxLength = 64;

    /// <summary>Normalises a name for comparison.</summary>
    /// <param name="name">The name, UTF-8.</param>
    /// <param name="normal">Room for <see cref="MaxLength"/> bytes.</param>
    /// <returns>The length written; 0 for a name that is too long.</returns>
    public static int Normalise(ReadOnlySpan<byte> name, Span<byte> normal)
    {
        int length = 0;
        foreach (byte letter in name)
        {
            if (letter is (byte)'_' or (byte)'-' or (byte)' ')
            {
                continue;
            }

            if (length == MaxLength)
            {
                return 0;
            }

            normal[length++] = letter is >= (byte)'A' and <= (byte)'Z' ? (byte)(letter | 0x20) : letter;
        }

        return length;
    }

    /// <summary>Whether a name equals one that is already normalised.</summary>
    public static bool Matches(ReadOnlySpan<byte> name, ReadOnlySpan<byte> normal)
    {
        Span<byte> other = stackalloc byte[MaxLength];
        int length = Normalise(name, other);
        return length > 0 && normal.SequenceEqual(other[..length]);
    }
}
