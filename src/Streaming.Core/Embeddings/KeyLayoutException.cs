namespace Streaming.Core.Embeddings;

/// <summary>The configured number of partitions differs from the number the model was written with.</summary>
/// <param name="model">The model.</param>
/// <param name="set">Configured partitions.</param>
/// <param name="stored">Partitions in the store.</param>
public sealed class KeyLayoutException(string model, int set, int stored)
    : Exception(
        $"STREAMING__Redis__Partitions is {set}, but model '{model}' in Redis has {stored} partitions. Set "
            + $"STREAMING__Redis__Partitions={stored}, or choose another STREAMING__Redis__Model for a new model."
    )
{
    /// <summary>Gets the configured number of partitions.</summary>
    public int Set { get; } = set;

    /// <summary>Gets the number of partitions in the store.</summary>
    public int Stored { get; } = stored;
}
