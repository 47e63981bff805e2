namespace Streaming.Transport.Redis;

/// <summary>Redis does not answer a command that needs it, or refuses its user.</summary>
/// <param name="servers">The servers asked.</param>
/// <param name="reason">Why, in one line.</param>
/// <param name="inner">What the client threw.</param>
public sealed class RedisUnavailableException(string servers, string reason, Exception? inner = null)
    : Exception($"no answer from Redis at {servers} (STREAMING__Redis__Configuration): {reason.TrimEnd('.')}.", inner);
