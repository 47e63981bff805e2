namespace Streaming.Transport.Redis.Leadership;

/// <summary>The result of one attempt to acquire the lease.</summary>
/// <param name="Acquired">Whether this process holds it now.</param>
/// <param name="Remaining">Time until the other holder's lease expires unless renewed; zero if acquired.</param>
/// <param name="Holder">The other holder's name; empty if acquired.</param>
public readonly record struct LeaseAttempt(bool Acquired, TimeSpan Remaining, string Holder);
