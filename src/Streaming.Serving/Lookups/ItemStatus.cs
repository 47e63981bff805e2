namespace Streaming.Serving.Lookups;

/// <summary>What became of one item of a read.</summary>
public enum ItemStatus : byte
{
    /// <summary>Not in the store.</summary>
    Missing,

    /// <summary>Read.</summary>
    Found,

    /// <summary>There, but the bytes are foreign, truncated, corrupt, of a newer layout, another generation or too narrow.</summary>
    Refused,
}
