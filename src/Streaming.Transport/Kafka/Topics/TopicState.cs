namespace Streaming.Transport.Kafka.Topics;

/// <summary>The cluster's description of a topic.</summary>
/// <param name="Topic">Its name.</param>
internal sealed record TopicState(string Topic)
{
    /// <summary>Gets the number of partitions; 0 if the topic does not exist or was not described.</summary>
    public int Partitions { get; init; }

    /// <summary>Gets the topic id; null if the brokers do not support topic ids, or see <see cref="Undescribed"/>.</summary>
    public string? Id { get; init; }

    /// <summary>Gets the partitions without a leader, which can be neither read nor written.</summary>
    public IReadOnlyList<int> Leaderless { get; init; } = [];

    /// <summary>Gets a value indicating whether the topic does not exist.</summary>
    public bool IsMissing { get; init; }

    /// <summary>Gets a value indicating whether records may be read. Also true if the brokers do not say.</summary>
    public bool CanRead { get; init; } = true;

    /// <summary>Gets a value indicating whether records may be written. Also true if the brokers do not say.</summary>
    public bool CanWrite { get; init; } = true;

    /// <summary>Gets the broker's error for this topic, or an empty string.</summary>
    public string Error { get; init; } = string.Empty;

    /// <summary>Gets why topic id and allowed operations are unknown this time; empty if the brokers described the topic.</summary>
    public string Undescribed { get; init; } = string.Empty;

    /// <summary>Gets a value indicating whether the topic exists and its partitions are known.</summary>
    public bool Exists => Partitions > 0;

    /// <summary>Gets what prevents reading; empty if nothing does.</summary>
    public string ReadProblem => Problem(CanRead, "read from");

    /// <summary>Gets what prevents writing; empty if nothing does.</summary>
    public string WriteProblem => Problem(CanWrite, "write to");

    private string Problem(bool isAllowed, string operation) =>
        IsMissing ? $"topic '{Topic}' does not exist"
        : Error.Length > 0 ? Error
        : !isAllowed ? $"not authorized to {operation} topic '{Topic}'"
        : Leaderless.Count > 0
            ? $"{(Leaderless.Count == 1 ? "partition" : "partitions")} {string.Join(", ", Leaderless)} of topic '{Topic}' "
                + $"{(Leaderless.Count == 1 ? "has" : "have")} no leader"
        : Undescribed.Length > 0 ? $"the brokers do not describe topic '{Topic}' ({Undescribed})"
        : string.Empty;
}
