using Streaming.Kernels.Panels;
using Streaming.Kernels.Simd;

namespace Streaming.Kernels.Search;

/// <summary>Scratch memory of one thread of <see cref="NestedRanking"/>.</summary>
internal sealed class RankingScratch
{
    private readonly AlignedFloats _floats;
    private readonly int _tile;
    private readonly int _targets;
    private readonly int _thresholds;
    private readonly int _bias;
    private long[] _skipped = new long[1024];

    public RankingScratch(ReadOnlySpan<int> widths)
    {
        int perWidth = widths.Length * PanelLayout.Lanes;
        _tile = widths[^1] * PanelLayout.Lanes;
        _targets = _tile + perWidth * PanelLayout.TileRows;
        _thresholds = _targets + perWidth;
        _bias = _thresholds + perWidth;
        _floats = new AlignedFloats(_bias + 2 * PanelLayout.TileRows);
        Above = new int[perWidth];
        Ties = new int[perWidth];
    }

    /// <summary>The panel's users, transposed [D × 32].</summary>
    public Span<float> Panel => _floats.Span[.._tile];

    /// <summary>Scores [K × rows × 32].</summary>
    public Span<float> Tile => _floats.Span[_tile.._targets];

    /// <summary>Scores of the targets [K × 32].</summary>
    public Span<float> Targets => _floats.Span[_targets.._thresholds];

    /// <summary>Just below the sinks' thresholds [K × 32].</summary>
    public Span<float> Thresholds => _floats.Span[_thresholds.._bias];

    /// <summary>Start value of each item's scores.</summary>
    public Span<float> StreamBias => _floats.Span.Slice(_bias, PanelLayout.TileRows);

    /// <summary>Zeros; read-only.</summary>
    public Span<float> Zeros => _floats.Span.Slice(_bias + PanelLayout.TileRows, PanelLayout.TileRows);

    public int[] Above { get; }

    public int[] Ties { get; }

    /// <summary>Pairs to exclude, as item · 32 + lane.</summary>
    public Span<long> Skipped(int count)
    {
        if (_skipped.Length < count)
        {
            _skipped = new long[Math.Max(count, 2 * _skipped.Length)];
        }

        return _skipped.AsSpan(0, count);
    }
}
