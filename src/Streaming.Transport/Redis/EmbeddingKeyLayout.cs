namespace Streaming.Transport.Redis;

/// <summary>How the nested widths of an item are stored in Redis.</summary>
public enum EmbeddingKeyLayout
{
    /// <summary>One value at full width; readers truncate it. Least memory, one write.</summary>
    Nested,

    /// <summary>One key per width, for serving tiers that cannot afford to fetch whole values.</summary>
    PerWidth,
}
