namespace Streaming.Transport.Redis.Publishing;

/// <summary>Something that the log and the health check should know.</summary>
/// <param name="Kind">What happened.</param>
/// <param name="Message">In words, without secrets.</param>
/// <param name="Items">How many items it concerns.</param>
/// <param name="Error">The cause, where there is one.</param>
public sealed record PublishIncident(PublishIncidentKind Kind, string Message, int Items, Exception? Error = null);
