namespace Streaming.Worker.Backtest;

/// <summary>What users did, as numbers: the input of every protocol. Items are numbered in the order of appearance.</summary>
/// <param name="Items">Id of each item.</param>
/// <param name="Sequences">Each user's items, oldest first.</param>
/// <param name="Times">Time of each event of <paramref name="Sequences"/>, Unix milliseconds; null where the file has none.</param>
internal sealed record InteractionLog(IReadOnlyList<string> Items, JaggedList Sequences, IReadOnlyList<long[]>? Times)
{
    /// <summary>Gets the number of events.</summary>
    public int EventCount => Sequences.ValueCount;
}
