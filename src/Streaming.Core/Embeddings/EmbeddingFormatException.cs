namespace Streaming.Core.Embeddings;

/// <summary>Bytes were rejected as an embedding value.</summary>
public sealed class EmbeddingFormatException : FormatException
{
    /// <summary>Initializes a new instance of the <see cref="EmbeddingFormatException"/> class.</summary>
    public EmbeddingFormatException(EmbeddingFault fault, string message)
        : base(message) => Fault = fault;

    /// <summary>Gets why the bytes were rejected.</summary>
    public EmbeddingFault Fault { get; }
}
