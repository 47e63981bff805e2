namespace Streaming.Models.Batches;

/// <summary>Sequences of item rows of different lengths: one value array plus offsets.</summary>
public readonly ref struct JaggedRows
{
    /// <summary>Item rows of all sequences, concatenated, oldest first.</summary>
    public required ReadOnlySpan<int> Rows { get; init; }

    /// <summary>Start of each sequence in <see cref="Rows"/>, then the end: Count + 1 entries.</summary>
    public required ReadOnlySpan<int> Offsets { get; init; }

    /// <summary>Gets the number of sequences.</summary>
    public int Count => Offsets.Length - 1;
}
