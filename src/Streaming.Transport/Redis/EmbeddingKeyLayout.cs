namespace Streaming.Transport.Redis;

/// <summary>How the nested widths of an item lie in Redis.</summary>
public enum EmbeddingKeyLayout
{
    /// <summary>One value at full width; a reader cuts. Least memory, one write.</summary>
    Nested,

    /// <summary>One key a width, for serving tiers that cannot afford to fetch whole values.</summary>
    PerWidth,
}
