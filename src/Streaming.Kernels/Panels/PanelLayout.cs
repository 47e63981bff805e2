namespace Streaming.Kernels.Panels;

/// <summary>Sizes of panels and tiles.</summary>
internal static class PanelLayout
{
    /// <summary>Vectors per panel: two 512-bit registers.</summary>
    public const int Lanes = 32;

    /// <summary>Streamed vectors per tile: 8 KB of scores per width, so that a width's scores and 64 rows of its increment stay
    /// in the L1 cache between softmax and gradient.</summary>
    public const int TileRows = 64;

    /// <summary>Score of a masked pair, in binary logarithms: far below any other, and finite after any scaling.</summary>
    public const float Masked = -1e20f;

    /// <summary>Writes up to 32 rows transposed: panel[d][lane] = rows[lane][d] · scale; missing lanes are 0.</summary>
    public static void Transpose(ReadOnlySpan<float> rows, int dimension, float scale, Span<float> panel)
    {
        int count = rows.Length / dimension;
        if (count < Lanes)
        {
            panel[..(dimension * Lanes)].Clear();
        }

        for (int lane = 0; lane < count; lane++)
        {
            ReadOnlySpan<float> row = rows.Slice(lane * dimension, dimension);
            for (int d = 0; d < row.Length; d++)
            {
                panel[d * Lanes + lane] = row[d] * scale;
            }
        }
    }
}
