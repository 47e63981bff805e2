using Microsoft.Extensions.Logging;

namespace Streaming.Transport.Kafka.Clients;

/// <summary>Log messages of the Kafka source. Ids 2000 to 2099.</summary>
internal static partial class KafkaSourceLog
{
    [LoggerMessage(2000, LogLevel.Information, "Reading {Topic} ({Assignment}) and the catalogue {ItemsTopic} from {Servers}")]
    public static partial void Started(ILogger logger, string topic, KafkaAssignment assignment, string itemsTopic, string servers);

    [LoggerMessage(2001, LogLevel.Information, "Read the catalogue to its end: {Items} changes, {Rejected} unusable records")]
    public static partial void CatalogueRead(ILogger logger, long items, long rejected);

    [LoggerMessage(2002, LogLevel.Information, "Assigned {Topic}[{Partition}], reading from {Offset}")]
    public static partial void Assigned(ILogger logger, string topic, int partition, long offset);

    [LoggerMessage(2003, LogLevel.Information, "Revoked {Topic}[{Partition}]; keeping its position {Offset}")]
    public static partial void Revoked(ILogger logger, string topic, int partition, long offset);

    [LoggerMessage(2004, LogLevel.Warning, "Kafka is unavailable ({Reason}); reconnecting")]
    public static partial void Unavailable(ILogger logger, string reason);

    [LoggerMessage(2005, LogLevel.Information, "Kafka is available again")]
    public static partial void Available(ILogger logger);

    [LoggerMessage(2006, LogLevel.Warning, "Kafka client: {Reason} ({Code})")]
    public static partial void ClientError(ILogger logger, string reason, string code);

    [LoggerMessage(2007, LogLevel.Warning, "Kafka: {Problem}; waiting until this is resolved")]
    public static partial void Problem(ILogger logger, string problem);

    [LoggerMessage(2008, LogLevel.Debug, "Paused: the trainer is behind")]
    public static partial void Paused(ILogger logger);

    [LoggerMessage(2009, LogLevel.Debug, "Resumed")]
    public static partial void Resumed(ILogger logger);

    [LoggerMessage(
        2010,
        LogLevel.Warning,
        "{Topic}: {Records} unusable records ({Reason}); the last at [{Partition}]@{Offset}: {Explanation}"
    )]
    public static partial void Rejected(
        ILogger logger,
        string topic,
        long records,
        string reason,
        int partition,
        long offset,
        string explanation
    );

    [LoggerMessage(2011, LogLevel.Information, "Reading stopped; {Read} records read since the stream's beginning")]
    public static partial void Stopped(ILogger logger, long read);

    [LoggerMessage(2012, LogLevel.Information, "Kafka: resolved: {Problem}")]
    public static partial void Resolved(ILogger logger, string problem);

    [LoggerMessage(
        2013,
        LogLevel.Warning,
        "The broker did not accept the last dead letters in time; records read since then are read again after a restart"
    )]
    public static partial void DeadLettersWait(ILogger logger);

    [LoggerMessage(
        2014,
        LogLevel.Warning,
        "{Records} records of {Topic}[{Partition}] were deleted by the broker before they were read; continuing at {To} instead of "
            + "{From} (STREAMING__Kafka__SkipMissing)"
    )]
    public static partial void Skipped(ILogger logger, long records, string topic, int partition, long from, long to);

    [LoggerMessage(
        2015,
        LogLevel.Warning,
        "Topic {Topic} was deleted and recreated (id {Old} → {New}); continuing at its beginning (STREAMING__Kafka__SkipMissing). "
            + "Unread records of the deleted topic: {Unread}"
    )]
    public static partial void Restarted(ILogger logger, string topic, string old, string @new, string unread);

    [LoggerMessage(
        2016,
        LogLevel.Information,
        "The brokers do not report topic ids; if topic {Topic} is deleted and recreated, this is noticed only when it has fewer "
            + "partitions or records than before"
    )]
    public static partial void NoTopicIds(ILogger logger, string topic);

    [LoggerMessage(
        2017,
        LogLevel.Information,
        "The cluster did not report its topic ids; the last checkpoint is compared with them on the next start"
    )]
    public static partial void NotCompared(ILogger logger);

    [LoggerMessage(
        2018,
        LogLevel.Information,
        "Not authorized to access group {Group} ({Reason}): offsets are not committed for lag dashboards; reading is not affected"
    )]
    public static partial void NoCommits(ILogger logger, string group, string reason);

    [LoggerMessage(2019, LogLevel.Warning, "Kafka: {Problem}; more than STREAMING__Kafka__MaxDeadLetterRate allows")]
    public static partial void MostRejected(ILogger logger, string problem);
}
