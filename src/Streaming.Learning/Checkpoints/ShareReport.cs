namespace Streaming.Learning.Checkpoints;

/// <summary>What a rank reports of its share of a checkpoint once that is on disk: <c>report-K.json</c> in the temporary folder.</summary>
internal sealed record ShareReport
{
    /// <summary>Gets the number of the rank.</summary>
    public int Rank { get; init; }

    /// <summary>Gets the checkpoint as this rank sees it; its positions are those of the partitions that this rank reads.</summary>
    public required CheckpointManifest Manifest { get; init; }

    /// <summary>Gets the files that it wrote.</summary>
    public required IReadOnlyList<WrittenFile> Files { get; init; }

    /// <summary>Gets the hashes of the state that must be the same on all ranks.</summary>
    public required ReplicaHashes Replica { get; init; }
}
