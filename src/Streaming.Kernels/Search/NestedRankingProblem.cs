namespace Streaming.Kernels.Search;

/// <summary>
/// The rank of one target item per user among all items of a catalogue, at every nested width:
/// s_w(u, i) = ⟨u[:w], e(i)[:w]⟩, or with <see cref="Cosine"/> the same over |e(i)[:w]| (the user's norm does not affect ranks).
/// </summary>
public ref struct NestedRankingProblem
{
    /// <summary>User vectors [B × D].</summary>
    public ReadOnlySpan<float> Users;

    /// <summary>Item vectors [N × D].</summary>
    public ReadOnlySpan<float> Catalogue;

    /// <summary>Whether a row of the catalogue is an item (not 0) or unused (0) [N]. Empty: all are items.</summary>
    public ReadOnlySpan<byte> Present;

    /// <summary>Catalogue row of each user's target [B]. Ranked whether present, excluded or not.</summary>
    public ReadOnlySpan<int> Targets;

    /// <summary>Another row of each user that is not counted, although <see cref="Best"/> gets it: where the target is in the catalogue
    /// itself; −1: none [B]. Empty: none.</summary>
    public ReadOnlySpan<int> Own;

    /// <summary>Where to collect the best rows of each user and width [B × K]: every row that competes or is the user's own, apart from
    /// those below the sink's threshold. Empty: nowhere.</summary>
    public ReadOnlySpan<ScoreSink> Best;

    /// <summary>Rows that do not compete, all users concatenated; may repeat. Empty with empty offsets: none.</summary>
    public ReadOnlySpan<int> Excluded;

    /// <summary>Start of each user's part of <see cref="Excluded"/>, then the end: B + 1 entries, or empty.</summary>
    public ReadOnlySpan<int> ExcludedOffsets;

    /// <summary>Whether to divide scores by the norm of the item's prefix.</summary>
    public bool Cosine;

    /// <summary>
    /// Out: items that score above the target, [B × K]; <see cref="int.MaxValue"/> when the target's score is not finite, because
    /// nothing compares greater than NaN and counting alone would rank such a target first.
    /// </summary>
    public Span<int> Above;

    /// <summary>
    /// Out: other items that score exactly as the target, [B × K]. Catalogue order never decides: the expected rank with ties
    /// broken at random is 1 + Above + Ties / 2; the worst is 1 + Above + Ties.
    /// </summary>
    public Span<int> Ties;
}
