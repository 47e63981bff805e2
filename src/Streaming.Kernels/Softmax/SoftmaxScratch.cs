using Streaming.Kernels.Panels;
using Streaming.Kernels.Simd;

namespace Streaming.Kernels.Softmax;

/// <summary>Scratch memory of one thread: a panel, a tile of scores of each width, and the sums.</summary>
internal sealed class SoftmaxScratch
{
    private readonly AlignedFloats _floats;
    private readonly int _tile;
    private readonly int _sums;
    private readonly int _lanes;
    private readonly int _streams;
    private readonly int _perWidth;

    public SoftmaxScratch(ReadOnlySpan<int> widths, int maxRows, int maxCandidates)
    {
        int total = 0;
        foreach (int width in widths)
        {
            total += width;
        }

        _perWidth = widths.Length * PanelLayout.Lanes;
        _tile = widths[^1] * PanelLayout.Lanes;
        _sums = _tile + _perWidth * PanelLayout.TileRows;
        _lanes = _sums + total * PanelLayout.Lanes;
        _streams = _lanes + 6 * _perWidth;
        _floats = new AlignedFloats(_streams + 3 * PanelLayout.TileRows + PanelLayout.Lanes);
        Kept = new KeptExponentials(widths, maxCandidates);
        ClassLanes = new uint[maxRows];
        Positives = new int[PanelLayout.TileRows];
    }

    public long Bytes => _floats.Bytes + Kept.Bytes + sizeof(uint) * (long)ClassLanes.Length + sizeof(int) * (long)Positives.Length;

    /// <summary>The panel's vectors, transposed [D × 32].</summary>
    public Span<float> Panel => _floats.Span[.._tile];

    /// <summary>Scores [K × rows × 32].</summary>
    public Span<float> Tile => _floats.Span[_tile.._sums];

    /// <summary>Exponentials kept until their normalisers are known.</summary>
    public KeptExponentials Kept { get; }

    /// <summary>Weighted sums of vectors of each width [Σw × 32].</summary>
    public Span<float> Sums => _floats.Span[_sums.._lanes];

    /// <summary>Reference score of each lane's exponentials [K × 32].</summary>
    public Span<float> References => PerWidth(0);

    /// <summary>Sums of exponentials [K × 32].</summary>
    public Span<float> Normalisers => PerWidth(1);

    /// <summary>Sums of exponentials times cosine scores [K × 32].</summary>
    public Span<float> Moments => PerWidth(2);

    /// <summary>1/|prefix| of each lane's vector [K × 32].</summary>
    public Span<float> LaneScales => PerWidth(3);

    /// <summary>Gradient of the loss with respect to each lane's sum of exponentials [K × 32].</summary>
    public Span<float> Coefficients => PerWidth(4);

    /// <summary>Factor of each lane's sums of vectors [K × 32].</summary>
    public Span<float> Factors => PerWidth(5);

    /// <summary>Start value of each streamed vector's scores.</summary>
    public Span<float> StreamBias => _floats.Span.Slice(_streams, PanelLayout.TileRows);

    /// <summary>Start value of each lane's scores [32].</summary>
    public Span<float> LaneBias => _floats.Span.Slice(_streams + PanelLayout.TileRows, PanelLayout.Lanes);

    /// <summary>Zeros, as many as a tile has rows; read-only.</summary>
    public Span<float> Zeros => _floats.Span.Slice(_streams + PanelLayout.TileRows + PanelLayout.Lanes, PanelLayout.TileRows);

    /// <summary>Lanes of the panel whose item has a class, one bit per lane; all 0 between panels.</summary>
    public uint[] ClassLanes { get; }

    /// <summary>Rows of a tile whose positive lies in the panel.</summary>
    public int[] Positives { get; }

    private Span<float> PerWidth(int index) => _floats.Span.Slice(_lanes + index * _perWidth, _perWidth);
}
