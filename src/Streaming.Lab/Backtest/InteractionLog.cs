namespace Streaming.Lab.Backtest;

/// <summary>All interactions in numeric form, the input of every protocol. Items are numbered in order of first appearance.</summary>
/// <param name="Items">The id of each item.</param>
/// <param name="Sequences">Each user's items, oldest first.</param>
/// <param name="Times">Time of each event of <paramref name="Sequences"/>, Unix milliseconds; null if the file has none.</param>
internal sealed record InteractionLog(IReadOnlyList<string> Items, JaggedList Sequences, IReadOnlyList<long[]>? Times)
{
    /// <summary>Gets the weight of each event; 0: history only, neither trained on nor a target. Null: all 1.</summary>
    public WeightList? Weights { get; init; }

    /// <summary>Gets the number of events.</summary>
    public int EventCount => Sequences.ValueCount;

    /// <summary>Gets the number of events that are trained on or are targets.</summary>
    public int ExampleCount => Weights?.ExampleCount() ?? EventCount;

    /// <summary>Returns the weights of a user's events.</summary>
    public ReadOnlySpan<float> WeightsOf(int user)
    {
        if (Weights is not null)
        {
            return Weights[user];
        }

        float[] ones = new float[Sequences[user].Length];
        Array.Fill(ones, 1);
        return ones;
    }
}
