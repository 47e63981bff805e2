namespace Streaming.Transport.Kafka.Topics;

/// <summary>What the cluster says of a topic.</summary>
/// <param name="Topic">Its name.</param>
internal sealed record TopicState(string Topic)
{
    /// <summary>Gets the number of partitions; 0: there is no such topic, or the cluster does not say.</summary>
    public int Partitions { get; init; }

    /// <summary>Gets the id that the topic was given when it was created; null: the brokers do not know topic ids, or see <see cref="Undescribed"/>.</summary>
    public string? Id { get; init; }

    /// <summary>Gets the partitions without a leader: nothing can be read from them or written to them.</summary>
    public IReadOnlyList<int> Leaderless { get; init; } = [];

    /// <summary>Gets a value indicating whether the cluster says that there is no such topic.</summary>
    public bool IsMissing { get; init; }

    /// <summary>Gets a value indicating whether records may be read. True as well where the brokers do not say.</summary>
    public bool CanRead { get; init; } = true;

    /// <summary>Gets a value indicating whether records may be written. True as well where the brokers do not say.</summary>
    public bool CanWrite { get; init; } = true;

    /// <summary>Gets the broker's words when it did not answer for this topic; empty: it did.</summary>
    public string Error { get; init; } = string.Empty;

    /// <summary>Gets why the topic's id and what may be done with it are not known this time; empty: the brokers described it.</summary>
    public string Undescribed { get; init; } = string.Empty;

    /// <summary>Gets a value indicating whether the topic exists and its partitions are known.</summary>
    public bool Exists => Partitions > 0;

    /// <summary>What keeps a reader from reading it; empty: nothing.</summary>
    public string ReadProblem => Problem(CanRead, "read from");

    /// <summary>What keeps a writer from writing to it; empty: nothing.</summary>
    public string WriteProblem => Problem(CanWrite, "write to");

    private string Problem(bool isAllowed, string operation) =>
        IsMissing ? $"topic '{Topic}' does not exist"
        : Error.Length > 0 ? Error
        : !isAllowed ? $"not authorized to {operation} topic '{Topic}'"
        : Leaderless.Count > 0 ? $"{(Leaderless.Count == 1 ? "partition" : "partitions")} {string.Join(", ", Leaderless)} of topic '{Topic}' {(Leaderless.Count == 1 ? "has" : "have")} no leader"
        : Undescribed.Length > 0 ? $"the brokers do not describe topic '{Topic}' ({Undescribed})"
        : string.Empty;
}
