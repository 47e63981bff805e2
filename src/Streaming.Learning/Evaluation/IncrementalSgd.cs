using Streaming.Kernels.Hashing;

namespace Streaming.Learning.Evaluation;

/// <summary>
/// ISGD (Vinagre, Jorge, Gama 2014): matrix factorisation with one stochastic gradient step per event on the error
/// 1 − ⟨u, i⟩, positives only.
/// </summary>
/// <remarks>Initial factors are drawn from (seed, row), independent of the order of arrival.</remarks>
public sealed class IncrementalSgd : StreamingBaseline
{
    private readonly int _factors;
    private readonly float _learningRate;
    private readonly float _regularisation;
    private readonly ulong _seed;
    private float[] _items = [];
    private bool[] _known = [];
    private float[] _users = [];
    private bool[] _knownUsers = [];

    /// <summary>Creates a baseline without items. The defaults are those of the published ML-1M runs.</summary>
    /// <param name="factors">Number of factors k, 1 and up.</param>
    /// <param name="learningRate">Step size, above 0.</param>
    /// <param name="regularisation">L2 regularisation, 0 and up.</param>
    /// <param name="seed">Seed of the initial factors.</param>
    public IncrementalSgd(int factors = 100, float learningRate = 0.05f, float regularisation = 0.01f, ulong seed = 1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(factors, 1);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(learningRate);
        ArgumentOutOfRangeException.ThrowIfNegative(regularisation);
        _factors = factors;
        _learningRate = learningRate;
        _regularisation = regularisation;
        _seed = seed;
    }

    /// <inheritdoc/>
    public override string Name => "isgd";

    /// <inheritdoc/>
    protected internal override bool Knows(int item) => item < ItemCount && _known[item];

    /// <inheritdoc/>
    protected internal override void Score(int user, ReadOnlySpan<int> history, Span<double> scores)
    {
        Span<float> factors = user < _knownUsers.Length && _knownUsers[user] ? UserFactors(user) : [];
        for (int i = 0; i < scores.Length; i++)
        {
            scores[i] =
                !_known[i] ? double.NegativeInfinity
                : factors.IsEmpty ? 0
                : Dot(factors, ItemFactors(i));
        }
    }

    /// <inheritdoc/>
    protected internal override void Learn(int user, ReadOnlySpan<int> history, int item)
    {
        GrowUsers(user);
        Span<float> u = UserFactors(user);
        Span<float> v = ItemFactors(item);
        Start(ref _knownUsers[user], u, (ulong)user << 1);
        Start(ref _known[item], v, ((ulong)item << 1) | 1);
        float error = (float)(1 - Dot(u, v));
        for (int f = 0; f < _factors; f++)
        {
            float before = u[f];
            u[f] += _learningRate * ((error * v[f]) - (_regularisation * before));
            v[f] += _learningRate * ((error * before) - (_regularisation * v[f]));
        }
    }

    /// <inheritdoc/>
    protected internal override void GrowItems(int capacity)
    {
        Array.Resize(ref _items, capacity * _factors);
        Array.Resize(ref _known, capacity);
    }

    private static double Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b) => System.Numerics.Tensors.TensorPrimitives.Dot(a, b);

    private void GrowUsers(int user)
    {
        if (user >= _knownUsers.Length)
        {
            int capacity = Math.Max(user + 1, 2 * _knownUsers.Length);
            Array.Resize(ref _users, capacity * _factors);
            Array.Resize(ref _knownUsers, capacity);
        }
    }

    private void Start(ref bool known, Span<float> factors, ulong row)
    {
        if (known)
        {
            return;
        }

        known = true;
        var random = new SplitMix64(_seed ^ (row * SplitMix64.Golden));
        for (int f = 0; f < factors.Length; f++)
        {
            factors[f] = 0.1f * random.NextNormal();
        }
    }

    private Span<float> UserFactors(int row) => _users.AsSpan(row * _factors, _factors);

    private Span<float> ItemFactors(int row) => _items.AsSpan(row * _factors, _factors);
}
