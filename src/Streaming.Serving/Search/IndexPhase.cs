namespace Streaming.Serving.Search;

/// <summary>What an index can be asked for now.</summary>
public enum IndexPhase
{
    /// <summary>Nothing: no load has succeeded yet.</summary>
    Loading,

    /// <summary>Nothing: the store names no generation, so nothing is published.</summary>
    Unpublished,

    /// <summary>Everything, as it is in the store.</summary>
    Fresh,

    /// <summary>Everything, as it was some time ago: the store cannot be read, and that is tried again.</summary>
    Stale,
}
