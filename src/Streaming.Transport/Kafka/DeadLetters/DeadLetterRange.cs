namespace Streaming.Transport.Kafka.DeadLetters;

/// <summary>Which dead letters are meant.</summary>
/// <param name="From">The first; null: the oldest there is.</param>
/// <param name="To">The first that is not meant any more; null: the end that the topic has when reading begins.</param>
/// <param name="Partition">The partition; null: all.</param>
/// <param name="Reasons">The reasons; empty: any.</param>
public sealed record DeadLetterRange(
    DeadLetterPoint? From = null,
    DeadLetterPoint? To = null,
    int? Partition = null,
    IReadOnlyCollection<string>? Reasons = null
)
{
    /// <summary>Whether a dead letter of the range's offsets is meant.</summary>
    public bool Takes(StoredDeadLetter letter)
    {
        ArgumentNullException.ThrowIfNull(letter);
        return Reasons is not { Count: > 0 } reasons || reasons.Contains(letter.Reason, StringComparer.OrdinalIgnoreCase);
    }
}
