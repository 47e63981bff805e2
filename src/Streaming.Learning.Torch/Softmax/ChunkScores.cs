using static TorchSharp.torch;

namespace Streaming.Learning.Torch;

/// <summary>Scores of one chunk of candidates, width after width. Lives within the caller's dispose scope.</summary>
internal sealed class ChunkScores
{
    private readonly RowTerms _rows;
    private readonly Tensor _candidates;
    private readonly Tensor[] _inverseNorms;
    private readonly Increments _increments;
    private readonly Tensor _sums;

    public ChunkScores(RowTerms rows, CandidateBlock block, Increments increments, bool cosine)
    {
        _rows = rows;
        _candidates = block.Vectors;
        _increments = increments;
        _sums = zeros(rows.Count, block.Count, dtype: ScalarType.Float32, device: block.Vectors.device);
        _inverseNorms = cosine ? PrefixNorms.Inverse(block.Vectors, increments) : [];
        Masked = rows.PositiveRows.unsqueeze(1).eq(block.Rows.unsqueeze(0));
    }

    /// <summary>Gets which candidates are a row's own item [B × n]: its positive and accidental hits.</summary>
    public Tensor Masked { get; }

    /// <summary>1 / norm of the candidates' prefixes of width k [n].</summary>
    public Tensor InverseNorm(int k) => _inverseNorms[k];

    /// <summary>Scores of width k [B × n]; called for k = 0, 1, … in order. Without cosine it is the running sum itself: copy before changing it.</summary>
    public Tensor Next(int k)
    {
        int start = _increments.Start(k), length = _increments.Length(k);
        _sums.addmm_(_rows.ScaledUsers.narrow(1, start, length), _candidates.narrow(1, start, length).t());
        return _inverseNorms.Length == 0 ? _sums : _sums.mul(_rows.InverseNorm(k).unsqueeze(1)).mul_(_inverseNorms[k].unsqueeze(0));
    }
}
