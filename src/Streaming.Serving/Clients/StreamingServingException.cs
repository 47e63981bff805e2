namespace Streaming.Serving.Clients;

/// <summary>The one exception of <see cref="StreamingClient"/>'s calls: the answer cannot be given, and why.</summary>
public sealed class StreamingServingException : Exception
{
    internal StreamingServingException(string message, bool isTransient, Exception? inner = null)
        : base(message, inner) => IsTransient = isTransient;

    /// <summary>Gets a value indicating whether the same call may succeed later without anyone's doing: the store is away or the index
    /// is not loaded yet. Otherwise options, store or model must change.</summary>
    public bool IsTransient { get; }
}
