namespace Streaming.Learning.Evaluation;

/// <summary>How an example came to be ranked. Small, because windows keep thousands.</summary>
/// <param name="Weight">Examples it stands for: 1 ÷ its probability of being drawn.</param>
/// <param name="Batch">The batch it was drawn in, of which neighbours differ; negative: it was drawn on its own.</param>
public readonly record struct Draw(float Weight, int Batch)
{
    /// <summary>Gets the draw of an example of which every one is ranked.</summary>
    public static Draw Every => new(1, -1);
}
