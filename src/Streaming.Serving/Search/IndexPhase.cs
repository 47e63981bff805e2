namespace Streaming.Serving.Search;

/// <summary>Availability of an index.</summary>
public enum IndexPhase
{
    /// <summary>Unavailable: no load has succeeded yet.</summary>
    Loading,

    /// <summary>Unavailable: the store has no active generation, so nothing has been published.</summary>
    Unpublished,

    /// <summary>Available and up to date.</summary>
    Fresh,

    /// <summary>Available but outdated: the store cannot be read and is being retried.</summary>
    Stale,
}
