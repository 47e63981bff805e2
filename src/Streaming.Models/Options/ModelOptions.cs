using Streaming.Core.Options;
using Streaming.Kernels.Softmax;

namespace Streaming.Models.Options;

/// <summary>User tower.</summary>
public enum TowerKind
{
    /// <summary>Nested linear recurrent units with gated feed-forward layers (fMRLRec).</summary>
    FmrlRec,

    /// <summary>Mean of the history, then one nested dense layer (YouTubeDNN).</summary>
    YoutubeDnn,

    /// <summary>One nested gated recurrent unit (GRU4Rec).</summary>
    Gru4Rec,

    /// <summary>Nested dynamic-routing capsules: several interests per user (MIND).</summary>
    Mind,
}

/// <summary>Where negatives come from.</summary>
public enum LossKind
{
    /// <summary>Softmax over the whole catalogue.</summary>
    Full,

    /// <summary>Uniformly drawn negatives.</summary>
    Uniform,

    /// <summary>The batch's positives.</summary>
    InBatch,

    /// <summary>Mixed negative sampling: the batch and uniform ones (Yang et al. 2020).</summary>
    Mns,

    /// <summary>Cross-batch negative sampling: the batch and the memory bank (Wang, Zhu, He 2021).</summary>
    Cbns,

    /// <summary>One softmax over the batch, the memory bank and uniform ones, each with the q of this mixture.</summary>
    Union,
}

/// <summary>Which candidates are excluded from a row's negatives (accidental hits).</summary>
public enum HitMask
{
    /// <summary>All that are the row's positive item, anywhere in batch and bank.</summary>
    Id,

    /// <summary>Only the row's own positive: the set of CBNS eq. 9 read by position, not by item.</summary>
    Slot,
}

/// <summary>Shape and hyper-parameters of the model. A checkpoint must match all of them.</summary>
public sealed record ModelOptions
{
    /// <summary>Gets the nested widths, increasing; the last is D. Default 16, 32, 64, 128; each 4 … 4096.</summary>
    public IReadOnlyList<int> Widths { get; init; } = [16, 32, 64, 128];

    /// <summary>Gets the user tower. Default <see cref="TowerKind.FmrlRec"/>.</summary>
    public TowerKind Tower { get; init; } = TowerKind.FmrlRec;

    /// <summary>Gets the number of blocks of the fmrlrec tower. Default 2; 1 … 8.</summary>
    public int Layers { get; init; } = 2;

    /// <summary>Gets the history length L. Default 50; 1 … 1024.</summary>
    public int HistoryLength { get; init; } = 50;

    /// <summary>Gets the number of interests of the mind tower. Default 4; 1 … 16.</summary>
    public int Interests { get; init; } = 4;

    /// <summary>Gets whether items have learned id embeddings. Default true. Without ids, features are required.</summary>
    public bool ItemIds { get; init; } = true;

    /// <summary>
    /// Gets the feature groups of items: `name:length` are values of the item records, `name:length=title+brand[]` are hashed from their
    /// text fields: the words and n-grams of `title`, and each whole value of `brand`. Default none.
    /// </summary>
    public IReadOnlyList<FeatureGroup> FeatureGroups { get; init; } = [];

    /// <summary>Gets the maximum number of items that have a row at a time. Default 100,000; 2 and up.</summary>
    public int ItemCapacity { get; init; } = 100_000;

    /// <summary>Gets the loss: where negatives come from. <see cref="LossKind.Union"/>: batch, memory bank and uniform draws in one
    /// softmax. Default <see cref="LossKind.Cbns"/>.</summary>
    public LossKind Loss { get; init; } = LossKind.Cbns;

    /// <summary>Gets how the sampling probability enters the loss. Default <see cref="LogQCorrection.Classic"/>.</summary>
    public LogQCorrection LogQ { get; init; } = LogQCorrection.Classic;

    /// <summary>Gets which candidates are excluded from a row's negatives. Default <see cref="HitMask.Id"/>;
    /// <see cref="HitMask.Slot"/> only with <see cref="LossKind.InBatch"/>, <see cref="LossKind.Mns"/>,
    /// <see cref="LossKind.Cbns"/> and <see cref="LossKind.Union"/>.</summary>
    public HitMask HitMask { get; init; } = HitMask.Id;

    /// <summary>Gets the capacity M of the memory bank. Default 8192; 0 … 4,194,304.</summary>
    public int BankCapacity { get; init; } = 8192;

    /// <summary>
    /// Gets whether the memory bank holds an item at most once, by its newest embedding, so that its M entries are M items. Default
    /// false: M draws, popular items several times.
    /// </summary>
    /// <remarks>An entry's q is then its probability to be in the bank, not that of a draw.</remarks>
    public bool DistinctBank { get; init; }

    /// <summary>
    /// Gets whether items get the gradient of the softmax without the bank, while users get that with it. Default true. False: both
    /// get that of one loss over all candidates, as CBNS was published.
    /// </summary>
    /// <remarks>
    /// Bank entries get no gradient, so items receive the whole pull towards users who chose them but only B of B + M parts of
    /// the push away from users who did not: item vectors drift towards the mean user, the more the larger the bank. ContAccum
    /// (2024) measured the same imbalance in dense retrieval.
    /// </remarks>
    public bool BalanceBank { get; init; } = true;

    /// <summary>Gets whether scores are cosines of prefixes normalised per width. Default true.</summary>
    /// <remarks>Vectors of items with few events stay bounded, so larger steps are stable: on one pass over a shop's month,
    /// Recall@20 of new items rose from .195 to .243. Without it, use a <see cref="Temperature"/> of 1.</remarks>
    public bool Cosine { get; init; } = true;

    /// <summary>Gets the temperature τ. Default 0.2, for cosines; above 0.</summary>
    public float Temperature { get; init; } = 0.2f;

    /// <summary>Gets the loss weight of each width. Default empty: all 1.</summary>
    public IReadOnlyList<float> WidthWeights { get; init; } = [];

    /// <summary>Gets the seed of all randomness. Default 1.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Gets the dropout rates: one for all increments, or one for each. Default 0.2; each 0 … 0.95.</summary>
    /// <remarks>On small data sets, rates that grow with the increment (.2, .3, .5, .6) improve every narrow width at no cost to
    /// the full one.</remarks>
    public IReadOnlyList<float> Dropout { get; init; } = [0.2f];

    /// <summary>Gets the placement of norms in fmrlrec blocks. Default <see cref="NormPlacement.Before"/>.</summary>
    public NormPlacement Norm { get; init; } = NormPlacement.Before;

    /// <summary>Gets whether fmrlrec normalises its inputs, per increment. Default true (LRURec; fMRLRec does not).</summary>
    public bool InputNorm { get; init; } = true;

    /// <summary>Gets whether fmrlrec normalises the user vector, per increment. Default false.</summary>
    public bool OutputNorm { get; init; }

    /// <summary>Gets whether fmrlrec ends with a nested linear map. Default false.</summary>
    public bool OutputLinear { get; init; }

    /// <summary>Gets the initial value of <see cref="OutputLinear"/>: this times the identity. Default 0.7; above 0 … 10.</summary>
    public float OutputLinearScale { get; init; } = 0.7f;

    /// <summary>Gets the share of <see cref="OutputLinear"/>'s outputs, per increment, that start negative. Default 0; 0 … 0.9.</summary>
    /// <remarks>The residual path carries the last item's own vector e to the output, and ⟨e, e⟩ is the highest possible score: the
    /// last item ranks first, although users who do not repeat purchases never choose it. With scores eᵀ·diag(±1)·e the negative
    /// coordinates can separate an item from its neighbours, so that it scores below them.</remarks>
    public float OutputNegatives { get; init; }

    /// <summary>Gets the minimum modulus |λ| of the recurrence's initial eigenvalues. Default 0.8 (LRURec); 0 … below
    /// <see cref="RingMax"/>.</summary>
    public float RingMin { get; init; } = 0.8f;

    /// <summary>Gets the maximum modulus |λ| of the recurrence's initial eigenvalues. Default 0.99 (LRURec); above
    /// <see cref="RingMin"/>, below 1.</summary>
    public float RingMax { get; init; } = 0.99f;

    /// <summary>Gets the scale of initial weights: their standard deviation is this / √inputs. Default 1; above 0 … 10.</summary>
    public float WeightScale { get; init; } = 1f;

    /// <summary>Gets the standard deviation of initial id embeddings and of the start vector. Default 0.02 (LRURec); above 0 …
    /// 10.</summary>
    public float ItemDeviation { get; init; } = 0.02f;

    /// <summary>Gets AdamW's β₁. Default 0.9; 0 … below 1.</summary>
    public float Beta1 { get; init; } = 0.9f;

    /// <summary>Gets AdamW's β₂. Default 0.999; 0 … below 1.</summary>
    public float Beta2 { get; init; } = 0.999f;

    /// <summary>Gets AdamW's ε. Default 1e-8; above 0 … 1.</summary>
    public float Epsilon { get; init; } = 1e-8f;

    /// <summary>Gets the decoupled weight decay of linear maps. Default 0.01; 0 … 1. Not applied to norms, biases, recurrence and
    /// start vector.</summary>
    public float WeightDecay { get; init; } = 0.01f;

    /// <summary>Gets the decoupled weight decay of id embeddings, including idle steps. Default 0.01; 0 … 1.</summary>
    public float IdWeightDecay { get; init; } = 0.01f;

    /// <summary>Gets the optimiser of the id embeddings. Default <c>LazyAdam</c>.</summary>
    public IdOptimizer IdOptimizer { get; init; } = IdOptimizer.LazyAdam;

    /// <summary>Gets the global gradient norm above which gradients are scaled down. Default 5 (fMRLRec); 0 (off) … 1e6.</summary>
    public float ClipNorm { get; init; } = 5f;

    /// <summary>Gets the number of routing iterations of mind. Default 3; 1 … 10.</summary>
    public int RoutingIterations { get; init; } = 3;

    /// <summary>Gets the full width D.</summary>
    public int Dimension => Widths[^1];

    /// <summary>Gets the number of feature values of an item, F.</summary>
    public int FeatureLength => FeatureGroups.Sum(group => group.Length);

    /// <summary>Gets the dropout rate of each increment.</summary>
    public float[] DropoutRates => Dropout.Count == 1 ? [.. Enumerable.Repeat(Dropout[0], Widths.Count)] : [.. Dropout];

    /// <summary>Gets the loss weight of each width.</summary>
    public float[] LossWeights => WidthWeights.Count == 0 ? [.. Enumerable.Repeat(1f, Widths.Count)] : [.. WidthWeights];

    /// <summary>Gets the number of vectors per user: <see cref="Interests"/> for the mind tower, else 1.</summary>
    public int VectorsPerUser => Tower == TowerKind.Mind ? Interests : 1;

    /// <summary>Checks every property.</summary>
    /// <exception cref="OptionsException">Names every property that is wrong, its value and what is allowed.</exception>
    public void Validate() => ModelOptionsCheck.Verify(this);
}
