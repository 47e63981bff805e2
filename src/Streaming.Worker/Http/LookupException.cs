using Microsoft.AspNetCore.Http;

namespace Streaming.Worker.Http;

/// <summary>A lookup that cannot be answered: status and words for the caller.</summary>
internal sealed class LookupException(int status, string message) : Exception(message)
{
    /// <summary>Gets the HTTP status.</summary>
    public int Status { get; } = status;

    /// <summary>What would be answered is not there now; it is worth asking again.</summary>
    public static LookupException Unavailable(string message) => new(StatusCodes.Status503ServiceUnavailable, message);

    /// <summary>The question is wrong.</summary>
    public static LookupException Wrong(string message) => new(StatusCodes.Status400BadRequest, message);
}
