using Streaming.Models.State;

namespace Streaming.Learning.Evaluation;

/// <summary>
/// Test-then-train evaluation: every example is ranked by the model as of before the example, then trained on. Keeps recall
/// and NDCG per width and segment, over the whole stream and over the last examples.
/// </summary>
/// <remarks>
/// The caller ranks over the whole catalogue known so far. For an example whose item is new to the user, the items of the
/// user's history are excluded from the ranking; for a repeat they are not. An item unknown to the model before the example
/// counts as <see cref="TiedRank.Missing"/>: skipping it would flatter every model.
/// </remarks>
public sealed class PrequentialEvaluator
{
    /// <summary>Version 1 had the first six segments; version 2 no weights: every example was ranked.</summary>
    private const int FormatVersion = 3;
    private const int FirstVersionSegments = 6;
    private static readonly int SegmentCount = Enum.GetValues<EvaluationSegment>().Length;
    private readonly RankingMetrics[][] _totals;
    private readonly RankingWindow[][] _windows;

    /// <summary>Creates an evaluator.</summary>
    /// <param name="widths">The widths measured, or any labels, 1 and up of them: each example has one rank per width.</param>
    /// <param name="options">What is measured.</param>
    public PrequentialEvaluator(IReadOnlyList<int> widths, PrequentialOptions options)
    {
        ArgumentNullException.ThrowIfNull(widths);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfZero(widths.Count);
        options.Validate();
        Widths = widths;
        Options = options;
        _totals = [.. widths.Select(_ => Segments(() => new RankingMetrics(options.Cutoffs)))];
        _windows = [.. widths.Select(_ => Segments(() => new RankingWindow(options.Cutoffs, options.Window)))];
    }

    /// <summary>Gets the widths measured.</summary>
    public IReadOnlyList<int> Widths { get; }

    /// <summary>Gets what is measured.</summary>
    public PrequentialOptions Options { get; }

    /// <summary>Gets the number of examples recorded, including those skipped at the start.</summary>
    public long Examples { get; private set; }

    /// <summary>Records an example of examples that are all ranked.</summary>
    /// <param name="ranks">Rank at each width.</param>
    /// <param name="kind">Which segments it belongs to.</param>
    public void Record(ReadOnlySpan<TiedRank> ranks, ExampleKind kind) => Record(ranks, kind, Draw.Every);

    /// <summary>Records an example.</summary>
    /// <param name="ranks">Rank at each width.</param>
    /// <param name="kind">Which segments it belongs to.</param>
    /// <param name="draw">How the example was drawn.</param>
    public void Record(ReadOnlySpan<TiedRank> ranks, ExampleKind kind, Draw draw)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(ranks.Length, Widths.Count);
        Examples++;
        if (Examples <= Options.SkipExamples)
        {
            return;
        }

        for (int width = 0; width < ranks.Length; width++)
        {
            Record(width, EvaluationSegment.All, ranks[width], draw);
            Record(width, kind.IsRepeat ? EvaluationSegment.Repeats : EvaluationSegment.NewItems, ranks[width], draw);
            Record(width, kind.IsKnownUser ? EvaluationSegment.KnownUsers : EvaluationSegment.NewUsers, ranks[width], draw);
            RecordIf(kind.IsKnownUser && !kind.IsRepeat, width, EvaluationSegment.NewItemsOfKnownUsers, ranks[width], draw);
            RecordIf(kind.IsFirstDay, width, EvaluationSegment.ItemsInFirstDay, ranks[width], draw);
            RecordIf(kind.IsAfterDrift, width, EvaluationSegment.AfterDrift, ranks[width], draw);
        }
    }

    /// <summary>The metrics over the whole stream.</summary>
    /// <param name="width">Index into <see cref="Widths"/>.</param>
    /// <param name="segment">Which examples.</param>
    public RankingMetrics Total(int width, EvaluationSegment segment) => _totals[width][(int)segment];

    /// <summary>The metrics over the last <see cref="PrequentialOptions.Window"/> examples of a segment.</summary>
    /// <param name="width">Index into <see cref="Widths"/>.</param>
    /// <param name="segment">Which examples.</param>
    public RankingMetrics Recent(int width, EvaluationSegment segment) => _windows[width][(int)segment].Read();

    /// <summary>Writes the state.</summary>
    public void Write(BinaryWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write(FormatVersion);
        writer.Write(Signature());
        writer.Write(Examples);
        ForEach(
            SegmentCount,
            (total, window) =>
            {
                total.Write(writer);
                window.Write(writer);
            }
        );
    }

    /// <summary>Reads the state written by an evaluator of the same widths and options.</summary>
    /// <exception cref="StateMismatchException">It was written with other widths, cutoffs or another window.</exception>
    public void Read(BinaryReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        int version = reader.ReadInt32();
        if (version is < 1 or > FormatVersion)
        {
            throw new StateMismatchException($"The evaluation state has version {version}; this program reads 1 … {FormatVersion}.");
        }

        string signature = reader.ReadString();
        if (signature != Signature())
        {
            throw new StateMismatchException(
                $"The evaluation state was written for {signature}; the settings are {Signature()}. Use the settings of the checkpoint, "
                    + "or restart the evaluation."
            );
        }

        Examples = reader.ReadInt64();
        ForEach(
            version == 1 ? FirstVersionSegments : SegmentCount,
            (total, window) =>
            {
                if (version == FormatVersion)
                {
                    total.Read(reader);
                    window.Read(reader);
                }
                else
                {
                    total.ReadPlain(reader);
                    window.ReadPlain(reader);
                }
            }
        );
    }

    private static T[] Segments<T>(Func<T> create) => [.. Enumerable.Range(0, SegmentCount).Select(_ => create())];

    private void RecordIf(bool belongs, int width, EvaluationSegment segment, TiedRank rank, Draw draw)
    {
        if (belongs)
        {
            Record(width, segment, rank, draw);
        }
    }

    private void Record(int width, EvaluationSegment segment, TiedRank rank, Draw draw)
    {
        _totals[width][(int)segment].Add(rank, draw);
        _windows[width][(int)segment].Add(rank, draw);
    }

    private void ForEach(int segments, Action<RankingMetrics, RankingWindow> action)
    {
        for (int width = 0; width < Widths.Count; width++)
        {
            for (int segment = 0; segment < segments; segment++)
            {
                action(_totals[width][segment], _windows[width][segment]);
            }
        }
    }

    private string Signature() =>
        $"widths {string.Join(',', Widths)}, cutoffs {string.Join(',', Options.Cutoffs)}, window {Options.Window}";
}
