namespace Streaming.Learning.Checkpoints;

/// <summary>Whose state a checkpoint holds. Shapes do not tell: two models with default settings have the same.</summary>
/// <param name="Model">Name of the model in the store.</param>
/// <param name="Topic">The topic that it learns from. The topic's id is in the positions.</param>
/// <param name="Partitions">Partitions of the model's keys in the store.</param>
public sealed record CheckpointOwner(string Model, string Topic, int Partitions)
{
    /// <inheritdoc/>
    public override string ToString() => FormattableString.Invariant($"model '{Model}', topic '{Topic}', {Partitions} partitions in Redis");
}
