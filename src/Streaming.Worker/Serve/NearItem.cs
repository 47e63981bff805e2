namespace Streaming.Worker.Serve;

/// <summary>A neighbour of an item.</summary>
/// <param name="Item">Id.</param>
/// <param name="Title">A display title, if known.</param>
/// <param name="Score">Cosine, −1 … 1; of a fused ranking the sum of reciprocal ranks. Times the boosts of the item.</param>
public sealed record NearItem(string Item, string? Title, double Score)
{
    /// <summary>Gets a value indicating whether the model was trained on no event of the item, so that its vector is that of its features;
    /// null: no, or unknown.</summary>
    public bool? Cold { get; init; }
}
