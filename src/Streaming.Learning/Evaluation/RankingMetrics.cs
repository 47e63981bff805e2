using Streaming.Core.Options;

namespace Streaming.Learning.Evaluation;

/// <summary>
/// Recall@K, hit rate@K and NDCG@K of rankings at several cutoffs, averaged over examples, with standard errors, summed in float64.
/// </summary>
/// <remarks>
/// With one target per example: Recall@K = HR@K = 1 when its rank is at most K; NDCG@K = 1 / log₂(rank + 1) then, else 0. With
/// several targets (ComiRec's protocol): Recall@K = hits / targets; HR@K = 1 with any hit; NDCG@K = DCG over the ideal DCG, that
/// of min(K, targets) hits at the top. Ties: see <see cref="TiedRank"/>.
/// </remarks>
public sealed class RankingMetrics
{
    private readonly DiscountTable _discounts;
    private readonly SampledMean[] _recall;
    private readonly SampledMean[] _hits;
    private readonly SampledMean[] _ndcg;

    /// <summary>Creates empty metrics.</summary>
    /// <param name="cutoffs">Cutoffs K, increasing, each 1 … 10,000.</param>
    /// <exception cref="ArgumentException">A cutoff is out of range, or they do not increase.</exception>
    public RankingMetrics(IReadOnlyList<int> cutoffs)
    {
        ArgumentNullException.ThrowIfNull(cutoffs);
        if (!AreCutoffs(cutoffs))
        {
            throw new ArgumentException($"Cutoffs is {OptionText.Show(cutoffs)}; allowed: {AllowedCutoffs}.", nameof(cutoffs));
        }

        Cutoffs = cutoffs;
        _discounts = new DiscountTable(cutoffs[^1]);
        _recall = new SampledMean[cutoffs.Count];
        _hits = new SampledMean[cutoffs.Count];
        _ndcg = new SampledMean[cutoffs.Count];
    }

    /// <summary>What <see cref="AreCutoffs"/> asks for, for an error message.</summary>
    internal const string AllowedCutoffs = "an increasing list within 1 … 10000";

    /// <summary>Gets the cutoffs K.</summary>
    public IReadOnlyList<int> Cutoffs { get; }

    /// <summary>Gets the number of examples.</summary>
    public long Count { get; private set; }

    /// <summary>Recall@K over all examples, 0 … 1; 0 without examples.</summary>
    /// <param name="cutoff">One of <see cref="Cutoffs"/>.</param>
    public double Recall(int cutoff) => _recall[PlaceOf(cutoff)].Mean;

    /// <summary>The standard error of <see cref="Recall"/>; NaN with examples of fewer than two batches.</summary>
    /// <param name="cutoff">One of <see cref="Cutoffs"/>.</param>
    public double RecallError(int cutoff) => _recall[PlaceOf(cutoff)].Error;

    /// <summary>Hit rate@K over all examples, 0 … 1; 0 without examples.</summary>
    /// <param name="cutoff">One of <see cref="Cutoffs"/>.</param>
    public double HitRate(int cutoff) => _hits[PlaceOf(cutoff)].Mean;

    /// <summary>NDCG@K over all examples, 0 … 1; 0 without examples.</summary>
    /// <param name="cutoff">One of <see cref="Cutoffs"/>.</param>
    public double Ndcg(int cutoff) => _ndcg[PlaceOf(cutoff)].Mean;

    /// <summary>The standard error of <see cref="Ndcg"/>; NaN with examples of fewer than two batches.</summary>
    /// <param name="cutoff">One of <see cref="Cutoffs"/>.</param>
    public double NdcgError(int cutoff) => _ndcg[PlaceOf(cutoff)].Error;

    /// <summary>Adds an example with one target, of examples that are all ranked.</summary>
    public void Add(TiedRank rank) => Add(rank, Draw.Every);

    /// <summary>Adds an example with one target.</summary>
    /// <param name="rank">The target's rank.</param>
    /// <param name="draw">How the example was drawn.</param>
    public void Add(TiedRank rank, Draw draw)
    {
        Count++;
        for (int k = 0; k < _recall.Length; k++)
        {
            double hit = DiscountTable.HitProbability(rank, Cutoffs[k]);
            _recall[k].Add(hit, draw.Weight, draw.Batch);
            _hits[k].Add(hit, draw.Weight, draw.Batch);
            _ndcg[k].Add(_discounts.Expected(rank, Cutoffs[k]), draw.Weight, draw.Batch);
        }
    }

    /// <summary>Adds an example with several targets.</summary>
    /// <param name="targets">Rank of each target among the items that are not targets, 1 and up of them. The positions that
    /// targets take from each other are accounted for here.</param>
    public void Add(Span<TiedRank> targets)
    {
        ArgumentOutOfRangeException.ThrowIfZero(targets.Length);
        targets.Sort(static (a, b) => a.Above != b.Above ? a.Above.CompareTo(b.Above) : a.Ties.CompareTo(b.Ties));
        Count++;
        for (int k = 0; k < _recall.Length; k++)
        {
            AddTargets(targets, k);
        }
    }

    /// <summary>Clears the metrics.</summary>
    public void Clear()
    {
        Count = 0;
        Array.Clear(_recall);
        Array.Clear(_hits);
        Array.Clear(_ndcg);
    }

    /// <summary>Writes the state, without the cutoffs.</summary>
    public void Write(BinaryWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write(Count);
        for (int k = 0; k < _recall.Length; k++)
        {
            _recall[k].Write(writer);
            _hits[k].Write(writer);
            _ndcg[k].Write(writer);
        }
    }

    /// <summary>Reads the state written by metrics of the same cutoffs.</summary>
    public void Read(BinaryReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        Count = reader.ReadInt64();
        for (int k = 0; k < _recall.Length; k++)
        {
            _recall[k] = SampledMean.Read(reader);
            _hits[k] = SampledMean.Read(reader);
            _ndcg[k] = SampledMean.Read(reader);
        }
    }

    /// <summary>Reads the state of a version without weights.</summary>
    internal void ReadPlain(BinaryReader reader)
    {
        Count = reader.ReadInt64();
        for (int k = 0; k < _recall.Length; k++)
        {
            _recall[k] = SampledMean.OfPlain(reader.ReadDouble(), Count);
            _hits[k] = SampledMean.OfPlain(reader.ReadDouble(), Count);
            _ndcg[k] = SampledMean.OfPlain(reader.ReadDouble(), Count);
        }
    }

    /// <summary>Whether a list can be the cutoffs: not empty, increasing, within 1 … 10,000.</summary>
    internal static bool AreCutoffs(IReadOnlyList<int> cutoffs) =>
        cutoffs.Count > 0
        && cutoffs[0] >= 1
        && cutoffs[^1] <= 10_000
        && cutoffs.Zip(cutoffs.Skip(1)).All(static pair => pair.First < pair.Second);

    private void AddTargets(ReadOnlySpan<TiedRank> targets, int k)
    {
        double hits = 0;
        double missAll = 1;
        double dcg = 0;
        for (int first = 0, end; first < targets.Length && targets[first] != TiedRank.Missing; first = end)
        {
            end = first + 1;
            while (end < targets.Length && targets[end] == targets[first])
            {
                end++;
            }

            // Tied targets share their positions with each other and with the items they tie with.
            int many = end - first;
            int level = targets[first].Ties + many;
            long start = (long)targets[first].Above + first;
            int within = (int)Math.Clamp(Cutoffs[k] - start, 0, level);
            hits += (double)within * many / level;
            dcg += within == 0 ? 0 : (_discounts.Sum((int)start + within) - _discounts.Sum((int)start)) * many / level;
            missAll *= NoneWithin(level - many, level, within);
        }

        _recall[k].Add(hits / targets.Length, 1, -1);
        _hits[k].Add(1 - missAll, 1, -1);
        _ndcg[k].Add(dcg / _discounts.Sum(Math.Min(Cutoffs[k], targets.Length)), 1, -1);
    }

    /// <summary>Probability that no target is in the first positions of a random order.</summary>
    private static double NoneWithin(int others, int level, int places)
    {
        double probability = 1;
        for (int place = 0; place < places && probability > 0; place++)
        {
            probability *= (double)(others - place) / (level - place);
        }

        return probability;
    }

    private int PlaceOf(int cutoff)
    {
        for (int k = 0; k < Cutoffs.Count; k++)
        {
            if (Cutoffs[k] == cutoff)
            {
                return k;
            }
        }

        throw new ArgumentOutOfRangeException(nameof(cutoff), cutoff, $"Allowed: {string.Join(", ", Cutoffs)}.");
    }
}
