namespace Streaming.Lab.Backtest;

/// <summary>What users did, as numbers: the input of every protocol. Items are numbered in the order of appearance.</summary>
/// <param name="Items">Id of each item.</param>
/// <param name="Sequences">Each user's items, oldest first.</param>
/// <param name="Times">Time of each event of <paramref name="Sequences"/>, Unix milliseconds; null where the file has none.</param>
internal sealed record InteractionLog(IReadOnlyList<string> Items, JaggedList Sequences, IReadOnlyList<long[]>? Times)
{
    /// <summary>Gets the weight of each event; 0: it is history, neither trained on nor a target. Null: 1 each.</summary>
    public WeightList? Weights { get; init; }

    /// <summary>Gets the number of events.</summary>
    public int EventCount => Sequences.ValueCount;

    /// <summary>Gets the number of events that are trained on or a target.</summary>
    public int ExampleCount => Weights?.ExampleCount() ?? EventCount;

    /// <summary>The weights of a user's events.</summary>
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
