namespace Streaming.Serving.Lookups;

/// <summary>The outcome of a read for one item.</summary>
public enum ItemStatus : byte
{
    /// <summary>Not in the store.</summary>
    Missing,

    /// <summary>Read.</summary>
    Found,

    /// <summary>Present, but the bytes are foreign, truncated, corrupt, of a newer layout, another generation or too narrow.</summary>
    Refused,
}
