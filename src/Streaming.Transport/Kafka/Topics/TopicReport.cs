namespace Streaming.Transport.Kafka.Topics;

/// <summary>The outcome of a look at the cluster.</summary>
/// <param name="Number">Number of the look, counted from 1; 0: there was none yet.</param>
/// <param name="Topics">The topics by name as last seen.</param>
/// <param name="Failure">Why this look failed, so that <paramref name="Topics"/> is that of an earlier one; empty: it did not.</param>
internal sealed record TopicReport(long Number, IReadOnlyDictionary<string, TopicState> Topics, string Failure)
{
    /// <summary>Gets the report before the first look.</summary>
    public static TopicReport None { get; } = new(0, new Dictionary<string, TopicState>(), string.Empty);

    /// <summary>Gets a value indicating whether the cluster answered.</summary>
    public bool IsAnswered => Number > 0 && Failure.Length == 0;

    /// <summary>The state of a topic, or null while it was never seen.</summary>
    public TopicState? Of(string topic) => Topics.GetValueOrDefault(topic);
}
