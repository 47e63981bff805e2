namespace Streaming.Kernels.Search;

/// <summary>Receives the rows that may be among a user's best at one width, while a catalogue is ranked
/// (<see cref="NestedRankingProblem.Best"/>). One thread at a time calls a sink.</summary>
public abstract class ScoreSink
{
    /// <summary>Gets or sets the score below which rows need not be offered; rises only. Before the first offer −∞: all are.</summary>
    public float Threshold { get; protected set; } = float.NegativeInfinity;

    /// <summary>Takes a row.</summary>
    /// <param name="row">Row of the catalogue.</param>
    /// <param name="score">Its score, a number of at least <see cref="Threshold"/>.</param>
    public abstract void Offer(int row, float score);
}
