using static TorchSharp.torch;

namespace Streaming.Learning.Torch;

/// <summary>Gradients of a softmax by the users and by the step's own candidates, gathered chunk by chunk.</summary>
internal sealed class SoftmaxGradients
{
    private readonly RowTerms _rows;
    private readonly Increments _increments;
    private readonly Tensor _own;
    private readonly Tensor _users;
    private readonly Tensor _candidates;
    private readonly Tensor? _userNormTerms;
    private readonly Tensor? _candidateNormTerms;

    public SoftmaxGradients(RowTerms rows, Increments increments, bool cosine, Tensor own)
    {
        _rows = rows;
        _increments = increments;
        _own = own;
        _users = zeros_like(rows.Users);
        _candidates = zeros_like(own);
        if (cosine)
        {
            _userNormTerms = zeros(increments.Count, rows.Count, dtype: ScalarType.Float32, device: own.device);
            _candidateNormTerms = zeros(increments.Count, own.shape[0], dtype: ScalarType.Float32, device: own.device);
        }
    }

    /// <summary>Adds a chunk's share of increment k.</summary>
    /// <param name="k">Increment.</param>
    /// <param name="gradient">[B × n] ∂total/∂⟨u, e⟩ · τ of all widths from k on.</param>
    /// <param name="vectors">[n × D] the chunk's candidates.</param>
    /// <param name="ownStart">First own candidate of the chunk, or −1 for the bank.</param>
    public void Add(int k, Tensor gradient, Tensor vectors, long ownStart)
    {
        int start = _increments.Start(k), length = _increments.Length(k);
        _users.narrow(1, start, length).addmm_(gradient, vectors.narrow(1, start, length));
        if (ownStart >= 0)
        {
            _candidates.narrow(0, ownStart, vectors.shape[0]).narrow(1, start, length).addmm_(gradient.t(), _rows.ScaledUsers.narrow(1, start, length));
        }
    }

    /// <summary>Adds Σ s · ∂total/∂s of a chunk at width k: what the norms of a cosine take back.</summary>
    public void AddNormTerms(int k, Tensor products, long ownStart)
    {
        _userNormTerms!.select(0, k).add_(products.sum(1));
        if (ownStart >= 0)
        {
            _candidateNormTerms!.select(0, k).narrow(0, ownStart, products.shape[1]).add_(products.sum(dim: 0));
        }
    }

    /// <summary>Adds the positives, takes the norm terms off, and undoes the scaling of the users.</summary>
    public SoftmaxResult Finish(Tensor losses)
    {
        using var scope = NewDisposeScope();
        var positives = _candidates.narrow(0, 0, _rows.Count);
        Tensor? coefficient = null, userTerm = null, candidateTerm = null;
        _users.div_(_rows.Temperature);
        Tensor[] ownNorms = _userNormTerms is null ? [] : PrefixNorms.Inverse(_own, _increments);
        AddPositiveNormTerms();
        for (int k = _increments.Count - 1; k >= 0; k--)
        {
            int start = _increments.Start(k), length = _increments.Length(k);
            coefficient = Sum(coefficient, PositiveCoefficient(k));
            _users.narrow(1, start, length).addcmul_(_rows.Positives.narrow(1, start, length), coefficient.unsqueeze(1), 1 / _rows.Temperature);
            positives.narrow(1, start, length).addcmul_(_rows.ScaledUsers.narrow(1, start, length), coefficient.unsqueeze(1), 1);
            if (_userNormTerms is not null)
            {
                userTerm = Sum(userTerm, _userNormTerms.select(0, k).mul(_rows.InverseNorm(k).square()));
                candidateTerm = Sum(candidateTerm, _candidateNormTerms!.select(0, k).mul(ownNorms[k].square()));
                _users.narrow(1, start, length).addcmul_(_rows.Users.narrow(1, start, length), userTerm.unsqueeze(1), -1);
                _candidates.narrow(1, start, length).addcmul_(_own.narrow(1, start, length), candidateTerm.unsqueeze(1), -1);
            }
        }

        return new SoftmaxResult(losses, _users, _candidates);
    }

    private static Tensor Sum(Tensor? sum, Tensor term) => sum is null ? term : sum.add(term);

    private Tensor PositiveCoefficient(int k) => _userNormTerms is null
        ? _rows.PositiveCoefficient(k)
        : _rows.PositiveCoefficient(k).mul(_rows.InverseNorm(k)).mul_(_rows.PositiveInverseNorm(k));

    private void AddPositiveNormTerms()
    {
        for (int k = 0; k < _increments.Count && _userNormTerms is not null; k++)
        {
            var products = _rows.PositiveCoefficient(k).mul(_rows.PositiveScore(k));
            _userNormTerms.select(0, k).add_(products);
            _candidateNormTerms!.select(0, k).narrow(0, 0, _rows.Count).add_(products);
        }
    }
}
