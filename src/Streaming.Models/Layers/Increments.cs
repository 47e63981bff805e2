namespace Streaming.Models.Layers;

/// <summary>The nested widths w_1 &lt; … &lt; w_K = D as increments [w_{k−1}, w_k).</summary>
public sealed class Increments
{
    private readonly int[] _ends;

    /// <summary>Creates the increments of nested widths.</summary>
    /// <param name="widths">Widths, ascending.</param>
    public Increments(IReadOnlyList<int> widths)
    {
        _ends = [.. widths];
    }

    private Increments(int[] ends)
    {
        _ends = ends;
    }

    /// <summary>Gets the number of widths, K.</summary>
    public int Count => _ends.Length;

    /// <summary>Gets the full width, D.</summary>
    public int Dimension => _ends[^1];

    /// <summary>Gets all widths.</summary>
    public ReadOnlySpan<int> Ends => _ends;

    /// <summary>First column of increment k.</summary>
    public int Start(int k) => k == 0 ? 0 : _ends[k - 1];

    /// <summary>Column after increment k: the width w_k.</summary>
    public int End(int k) => _ends[k];

    /// <summary>Number of columns of increment k.</summary>
    public int Length(int k) => _ends[k] - Start(k);

    /// <summary>Widths times a factor: each increment stores real and imaginary parts, or gates, together.</summary>
    public Increments Scale(int factor) => new([.. _ends.Select(end => end * factor)]);
}
