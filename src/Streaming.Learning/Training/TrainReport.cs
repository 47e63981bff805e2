using Streaming.Learning.Drift;
using Streaming.Learning.Engine;
using Streaming.Learning.Evaluation;

namespace Streaming.Learning.Training;

/// <summary>The outcome of training on one batch. The object is reused: valid until the next batch.</summary>
public sealed class TrainReport
{
    private readonly double[] _recall;
    private readonly List<string> _rejections = [];
    private TiedRank[] _ranks = [];
    private int _ranked;

    internal TrainReport(int widths) => _recall = new double[widths];

    /// <summary>Gets the number of the batch.</summary>
    public long Sequence { get; internal set; }

    /// <summary>Gets the number of new examples.</summary>
    public int Examples { get; internal set; }

    /// <summary>Gets the number of replayed examples.</summary>
    public int Replayed { get; internal set; }

    /// <summary>Gets the outcome of the engine's step; default when the batch had no examples.</summary>
    public StepResult Step { get; internal set; }

    /// <summary>Gets the learning rate of the step.</summary>
    public float LearningRate { get; internal set; }

    /// <summary>Gets the number of bank entries used.</summary>
    public int BankEntries { get; internal set; }

    /// <summary>Gets the number of examples scored before training; 0 when the batch was not evaluated.</summary>
    public int Evaluated { get; private set; }

    /// <summary>Gets the rank of each example at full width before training; empty unless all examples were scored.</summary>
    public ReadOnlySpan<TiedRank> Ranks => _ranks.AsSpan(0, _ranked);

    /// <summary>Gets Recall@20 (or at the nearest cutoff) of the scored examples for each width; 0 without any.</summary>
    public ReadOnlySpan<double> Recall => _recall;

    /// <summary>Gets why catalogue records were rejected: at most ten messages per batch; all are counted.</summary>
    public IReadOnlyList<string> Rejections => _rejections;

    /// <summary>Gets the drop of recall for which the trainer forgot its replay; null: none.</summary>
    public RecallDrop? RecallDrop { get; internal set; }

    internal Span<double> MutableRecall => _recall;

    internal void Begin(long sequence)
    {
        Sequence = sequence;
        Examples = Replayed = BankEntries = Evaluated = _ranked = 0;
        Step = default;
        RecallDrop = null;
        LearningRate = 0;
        _recall.AsSpan().Clear();
        _rejections.Clear();
    }

    internal void BeginRanks(int examples, int scored)
    {
        Evaluated = scored;
        _ranked = scored == examples ? examples : 0;
        if (_ranks.Length < _ranked)
        {
            Array.Resize(ref _ranks, _ranked);
        }
    }

    internal void SetRank(int example, TiedRank rank)
    {
        if (_ranked > 0)
        {
            _ranks[example] = rank;
        }
    }

    internal void Reject(string message)
    {
        if (_rejections.Count < 10)
        {
            _rejections.Add(message);
        }
    }
}
