namespace Streaming.Transport.Redis.Leadership;

/// <summary>What came of asking for the lease.</summary>
/// <param name="Acquired">Whether it is held now.</param>
/// <param name="Remaining">How long the other one's lease lasts unless it is renewed; zero when acquired.</param>
/// <param name="Holder">The other one's name; empty when acquired.</param>
public readonly record struct LeaseAttempt(bool Acquired, TimeSpan Remaining, string Holder);
