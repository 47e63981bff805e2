namespace Streaming.Transport.Redis.Publishing;

/// <summary>An event for the log and the health check.</summary>
/// <param name="Kind">What happened.</param>
/// <param name="Message">A description, without secrets.</param>
/// <param name="Items">Number of items affected.</param>
/// <param name="Error">The cause, if known.</param>
public sealed record PublishIncident(PublishIncidentKind Kind, string Message, int Items, Exception? Error = null);
