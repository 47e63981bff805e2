namespace Streaming.Encoders.Texts;

/// <summary>How the vectors of a text's tokens become one.</summary>
public enum TextPooling
{
    /// <summary>Their mean, as all-MiniLM and most sentence transformers.</summary>
    Mean,

    /// <summary>That of the first token, [CLS], as BGE and Arctic Embed.</summary>
    First,
}
