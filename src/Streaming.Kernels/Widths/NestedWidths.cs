namespace Streaming.Kernels.Widths;

/// <summary>The list of nested widths w_1 &lt; … &lt; w_K = D.</summary>
internal static class NestedWidths
{
    /// <summary>Validates and copies a list of widths.</summary>
    /// <exception cref="ArgumentException">Empty, not increasing, or with a width below 1.</exception>
    public static int[] Checked(ReadOnlySpan<int> widths)
    {
        if (widths.IsEmpty)
        {
            throw new ArgumentException(
                "The list of widths is empty; allowed: an increasing list such as 16, 32, 64, 128.",
                nameof(widths)
            );
        }

        int before = 0;
        foreach (int width in widths)
        {
            if (width <= before)
            {
                throw new ArgumentException($"Width {width} follows {before}; widths must be at least 1 and increasing.", nameof(widths));
            }

            before = width;
        }

        return widths.ToArray();
    }
}
