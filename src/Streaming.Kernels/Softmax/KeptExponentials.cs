using Streaming.Kernels.Panels;
using Streaming.Kernels.Simd;

namespace Streaming.Kernels.Softmax;

/// <summary>
/// The exponentials of a panel's wider widths, kept until the normalisers are known. One weighted sum of vectors, D
/// multiply-adds per score, then replaces one per width, Σw multiply-adds.
/// </summary>
/// <remarks>
/// This pays off where writing and reading a number costs less than w multiply-adds, and while the exponentials fit the
/// shared cache: at 7 MB per thread there was no gain, at 17 MB a loss of a third. Which widths are kept depends on the problem
/// alone, so results do not depend on earlier calls.
/// </remarks>
internal sealed class KeptExponentials
{
    private const int LeastWidth = 32;
    private const int MostBytes = 4 << 20;
    private const int Block = PanelLayout.TileRows * PanelLayout.Lanes;

    private readonly int _widths;
    private readonly int _kept;
    private readonly int _mostTiles;
    private readonly int _maxTiles;
    private AlignedFloats? _floats;

    public KeptExponentials(ReadOnlySpan<int> widths, int maxCandidates)
    {
        _widths = widths.Length;
        while (_kept < widths.Length && widths[widths.Length - 1 - _kept] >= LeastWidth)
        {
            _kept++;
        }

        // A single width has nothing to be combined with.
        _mostTiles = _kept > 1 ? MostBytes / (_kept * Block * sizeof(float)) : 0;
        _maxTiles = Math.Min(_mostTiles, Tiles(maxCandidates));
    }

    public long Bytes => _floats?.Bytes ?? 0;

    /// <summary>First width whose exponentials are kept; the number of widths when none are.</summary>
    public int First(int candidates) => Tiles(candidates) <= _mostTiles ? _widths - _kept : _widths;

    /// <summary>Exponentials of a tile [kept widths × 64 × 32].</summary>
    public Span<float> Tile(int number)
    {
        // Allocated by the first problem that needs it: with a large memory bank none does.
        _floats ??= new AlignedFloats(_maxTiles * _kept * Block);
        return _floats.Span.Slice(number * _kept * Block, _kept * Block);
    }

    private static int Tiles(int candidates) => (candidates + PanelLayout.TileRows - 1) / PanelLayout.TileRows;
}
