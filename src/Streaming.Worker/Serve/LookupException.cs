namespace Streaming.Worker;

/// <summary>A lookup that cannot be answered: status and words for the caller.</summary>
internal sealed class LookupException(int status, string message) : Exception(message)
{
    /// <summary>Gets the HTTP status.</summary>
    public int Status { get; } = status;
}
