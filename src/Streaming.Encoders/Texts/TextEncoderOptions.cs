namespace Streaming.Encoders.Texts;

/// <summary>An encoder of text.</summary>
public sealed record TextEncoderOptions
{
    /// <summary>The fewest tokens that <see cref="MaxTokens"/> may be.</summary>
    public const int FewestTokens = 8;

    /// <summary>The most tokens that <see cref="MaxTokens"/> may be.</summary>
    public const int MostTokens = 8192;

    /// <summary>Gets the ONNX file of a BERT-like model: inputs input_ids, attention_mask and token_type_ids.</summary>
    public required string Model { get; init; }

    /// <summary>Gets the model's WordPiece vocabulary: vocab.txt, one token a line.</summary>
    public required string Vocabulary { get; init; }

    /// <summary>Gets the model's output to take; null: its first of floats.</summary>
    public string? Output { get; init; }

    /// <summary>Gets how the vectors of tokens become one, where the output has one for each. Default: their mean.</summary>
    public TextPooling Pooling { get; init; }

    /// <summary>Gets the most tokens of a text; the rest is left out. Default 128; 8 … 8,192.</summary>
    public int MaxTokens { get; init; } = 128;
}
