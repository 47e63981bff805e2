namespace Streaming.Transport.Redis.Publishing;

/// <summary>The outcome of a batch of refreshes, in items.</summary>
/// <param name="Written">Vectors written.</param>
/// <param name="Removed">Items removed.</param>
/// <param name="Skipped">Not written, because the store holds a newer value.</param>
/// <param name="Rejected">Not written: <see cref="VectorFault"/> says why.</param>
/// <param name="Failed">Not written, because of an error; to be retried.</param>
public readonly record struct PublishCounts(int Written, int Removed, int Skipped, int Rejected, int Failed)
{
    /// <summary>Gets the vectors that the store held already: their stamp was renewed, and their expiry extended.</summary>
    public int Unchanged { get; init; }

    /// <summary>Adds two counts.</summary>
    public static PublishCounts operator +(PublishCounts a, PublishCounts b) =>
        new(a.Written + b.Written, a.Removed + b.Removed, a.Skipped + b.Skipped, a.Rejected + b.Rejected, a.Failed + b.Failed)
        {
            Unchanged = a.Unchanged + b.Unchanged,
        };

    /// <summary>Adds two counts.</summary>
    public static PublishCounts Add(PublishCounts left, PublishCounts right) => left + right;
}
