namespace Streaming.Transport.Kafka.Topics;

/// <summary>The result of a look at the cluster.</summary>
/// <param name="Number">Number of the look, from 1; 0 before the first.</param>
/// <param name="Topics">The topics by name, as last seen.</param>
/// <param name="Failure">Why this look failed, leaving <paramref name="Topics"/> from an earlier one; empty on success.</param>
internal sealed record TopicReport(long Number, IReadOnlyDictionary<string, TopicState> Topics, string Failure)
{
    /// <summary>Gets the report before the first look.</summary>
    public static TopicReport None { get; } = new(0, new Dictionary<string, TopicState>(), string.Empty);

    /// <summary>Gets a value indicating whether the cluster answered.</summary>
    public bool IsAnswered => Number > 0 && Failure.Length == 0;

    /// <summary>Returns the state of a topic, or null if it was never seen.</summary>
    public TopicState? Of(string topic) => Topics.GetValueOrDefault(topic);
}
