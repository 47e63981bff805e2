using Microsoft.Extensions.Logging;

namespace Streaming.Transport;

/// <summary>Every line that the Kafka source logs. Ids 2000 to 2099.</summary>
internal static partial class KafkaSourceLog
{
    [LoggerMessage(2000, LogLevel.Information, "Reading {Topic} ({Assignment}) and the catalogue {ItemsTopic} from {Servers}")]
    public static partial void Started(ILogger logger, string topic, KafkaAssignment assignment, string itemsTopic, string servers);

    [LoggerMessage(2001, LogLevel.Information, "The catalogue has been read to its end: {Items} changes")]
    public static partial void CatalogueRead(ILogger logger, long items);

    [LoggerMessage(2002, LogLevel.Information, "Assigned {Topic}[{Partition}], reading from {Offset}")]
    public static partial void Assigned(ILogger logger, string topic, int partition, long offset);

    [LoggerMessage(2003, LogLevel.Information, "{Topic}[{Partition}] was taken away; its position {Offset} is kept")]
    public static partial void Revoked(ILogger logger, string topic, int partition, long offset);

    [LoggerMessage(2004, LogLevel.Warning, "Kafka is away ({Reason}); waiting for it")]
    public static partial void Degraded(ILogger logger, string reason);

    [LoggerMessage(2005, LogLevel.Information, "Kafka is back")]
    public static partial void Recovered(ILogger logger);

    [LoggerMessage(2006, LogLevel.Warning, "Kafka client: {Reason} ({Code})")]
    public static partial void ClientError(ILogger logger, string reason, string code);

    [LoggerMessage(2007, LogLevel.Warning, "Topic {Topic} does not exist yet; looking again every {Refresh}")]
    public static partial void TopicMissing(ILogger logger, string topic, TimeSpan refresh);

    [LoggerMessage(2008, LogLevel.Debug, "Paused: the trainer is behind")]
    public static partial void Paused(ILogger logger);

    [LoggerMessage(2009, LogLevel.Debug, "Resumed")]
    public static partial void Resumed(ILogger logger);

    [LoggerMessage(2010, LogLevel.Warning, "Record {Topic}[{Partition}]@{Offset} cannot be used: {Reason}")]
    public static partial void Rejected(ILogger logger, string topic, int partition, long offset, string reason);

    [LoggerMessage(2011, LogLevel.Information, "Reading stopped; {Read} records read since the stream's beginning")]
    public static partial void Stopped(ILogger logger, long read);

    [LoggerMessage(2012, LogLevel.Warning, "Could not get the metadata of {Topic} (attempt {Attempt}): {Reason}")]
    public static partial void MetadataRetry(ILogger logger, string topic, int attempt, string reason);

    [LoggerMessage(2013, LogLevel.Warning, "The broker did not take the last dead letters in time; what was read since is read again after the next start")]
    public static partial void DeadLettersWait(ILogger logger);
}
