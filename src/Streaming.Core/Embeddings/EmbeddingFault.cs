namespace Streaming.Core.Embeddings;

/// <summary>Why bytes were rejected as an embedding value.</summary>
public enum EmbeddingFault
{
    /// <summary>The value is valid.</summary>
    None,

    /// <summary>Not an embedding value: the magic number is missing.</summary>
    Foreign,

    /// <summary>Shorter than the header requires.</summary>
    Truncated,

    /// <summary>Written with a newer layout version than this reader supports.</summary>
    NewerVersion,

    /// <summary>Checksum, lengths or fields contradict each other.</summary>
    Corrupt,

    /// <summary>A valid value of a generation other than the requested one.</summary>
    OtherGeneration,

    /// <summary>A valid value narrower than the requested width.</summary>
    TooNarrow,
}
