namespace Streaming.Core.Ingestion;

/// <summary>What came of dealing the ingestion state of N ranks to this one.</summary>
/// <param name="From">Number of ranks that wrote it, N.</param>
/// <param name="Users">Users that came here, and further copies of them.</param>
/// <param name="OfUnknownPartition">Of these, those that went to every rank because their partition is unknown.</param>
/// <param name="UsersForgotten">Users that this rank has no room for: those least recently active.</param>
/// <param name="IdsForgotten">Event ids that this rank has no room for: the oldest.</param>
public sealed record IngestDealing(int From, long Users, long OfUnknownPartition, long UsersForgotten, long IdsForgotten)
{
    /// <summary>One line for a log.</summary>
    public override string ToString() =>
        string.Create(
            System.Globalization.CultureInfo.InvariantCulture,
            $"ingestion state of {From} ranks: {Users} users, {OfUnknownPartition} of unknown partition and so on every rank; forgotten "
                + $"beyond History.MaxUsers: {UsersForgotten} users; beyond Dedup.Capacity: {IdsForgotten} event ids"
        );
}
