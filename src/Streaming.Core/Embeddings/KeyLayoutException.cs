namespace Streaming.Core.Embeddings;

/// <summary>The setting of partitions is not the one that the model in the store was written with.</summary>
/// <param name="model">The model.</param>
/// <param name="set">Partitions by the settings.</param>
/// <param name="stored">Partitions in the store.</param>
public sealed class KeyLayoutException(string model, int set, int stored) : Exception(
    $"STREAMING__Redis__Partitions is {set}, but model '{model}' in Redis has {stored} partitions. Set STREAMING__Redis__Partitions={stored}, or give the new model another STREAMING__Redis__Model.")
{
    /// <summary>Gets the number of partitions by the settings.</summary>
    public int Set { get; } = set;

    /// <summary>Gets the number of partitions in the store.</summary>
    public int Stored { get; } = stored;
}
