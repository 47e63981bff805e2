using Streaming.Models.Batches;
using Streaming.Models.Options;

namespace Streaming.Learning.Engine;

/// <summary>The input of one training step. Rows are rows of the item table; ids and streams are not visible here.</summary>
/// <remarks>
/// A sequence of n items has n + 1 steps: step 0 is the learned start vector, step t has seen the first t items. Steps are
/// numbered across all sequences: sequence s starts at <c>Offsets[s] + s</c>. A prediction belongs to a step
/// and has a positive item. A live batch has one prediction at the last step of each sequence; the offline protocol has
/// one at every step.
/// <para>Candidates of a prediction, by <see cref="LossKind"/>: InBatch, Mns, Cbns and Union score all positives,
/// <see cref="Negatives"/> and the bank entries; Uniform the prediction's own positive and <see cref="Negatives"/> (draws that
/// hit the positive are kept, and no correction applies); Full <see cref="Negatives"/> alone, which must then be the whole
/// catalogue, each row once, including the positives.</para>
/// </remarks>
public ref struct TrainingBatch
{
    /// <summary>The histories, at most L items each.</summary>
    public JaggedRows Sequences;

    /// <summary>Step of each prediction [B], ascending; the mind tower predicts at last steps only.</summary>
    public ReadOnlySpan<int> PredictionSteps;

    /// <summary>Item row of each prediction's positive [B].</summary>
    public ReadOnlySpan<int> Positives;

    /// <summary>Weight of each prediction [B], 0 or above.</summary>
    public ReadOnlySpan<float> Weights;

    /// <summary>ln p of each positive [B]: the estimated log-probability that a draw from the stream is this item.</summary>
    public ReadOnlySpan<float> LogQ;

    /// <summary>Rows of additional negatives (uniform, mns, union), with gradient. Empty: none.</summary>
    public ReadOnlySpan<int> Negatives;

    /// <summary>ln p of each of <see cref="Negatives"/>, as <see cref="LogQ"/>: that of the stream, not of the uniform draw.</summary>
    public ReadOnlySpan<float> NegativeLogQ;

    /// <summary>Number of items from which <see cref="Negatives"/> were drawn uniformly with replacement: the engine corrects every
    /// candidate by the q of the mixture of all draws. 0: by its ln p as given.</summary>
    public int DrawnFrom;

    /// <summary>How many of the newest bank entries are candidates, at most <see cref="TrainingEngine.BankCount"/>. 0: the bank is off
    /// (warm-up, or another loss).</summary>
    public int BankEntries;

    /// <summary>Whether the positives enter the bank after the step (also during warm-up, to fill it).</summary>
    public bool EnqueuePositives;

    /// <summary>Learning rate of this step, 0 or above: the caller applies the schedule.</summary>
    public float LearningRate;

    /// <summary>Number of this step: seeds dropout, and timestamps bank entries.</summary>
    public long Step;
}
