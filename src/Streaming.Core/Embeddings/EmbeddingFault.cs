namespace Streaming.Core.Embeddings;

/// <summary>Why bytes were refused as an embedding value.</summary>
public enum EmbeddingFault
{
    /// <summary>They were not.</summary>
    None,

    /// <summary>Something else: the magic number is not there.</summary>
    Foreign,

    /// <summary>Bytes are missing at the end.</summary>
    Truncated,

    /// <summary>Written in a layout that is newer than this reader.</summary>
    NewerVersion,

    /// <summary>Checksum, lengths or fields contradict each other.</summary>
    Corrupt,

    /// <summary>A good value of another generation than the one asked for.</summary>
    OtherGeneration,

    /// <summary>A good value that is narrower than the width asked for.</summary>
    TooNarrow,
}
