using Microsoft.Extensions.Logging;

namespace Streaming.Worker.Http;

/// <summary>Log messages of the HTTP server. Ids 1200 to 1299.</summary>
internal static partial class HttpLog
{
    [LoggerMessage(1200, LogLevel.Error, "{Method} {Path} failed")]
    public static partial void RequestFailed(ILogger logger, string method, string path, Exception exception);

    [LoggerMessage(1201, LogLevel.Information, "Loading the index of generation {Generation}: {Loaded} items of {Expected}")]
    public static partial void IndexLoading(ILogger logger, uint generation, int loaded, string expected);

    [LoggerMessage(1202, LogLevel.Information, "The index holds {Items} items of generation {Generation} in {Bytes} bytes")]
    public static partial void IndexReady(ILogger logger, int items, uint generation, long bytes);

    [LoggerMessage(1203, LogLevel.Warning, "Cannot refresh the index ({Reason}); retrying every {Interval}")]
    public static partial void IndexFailing(ILogger logger, string reason, TimeSpan interval);

    [LoggerMessage(1204, LogLevel.Information, "The index is refreshed again; it was {Age} old")]
    public static partial void IndexRecovered(ILogger logger, TimeSpan age);

    [LoggerMessage(1205, LogLevel.Warning, "Nothing to serve: {Reason}")]
    public static partial void NothingToServe(ILogger logger, string reason);

    [LoggerMessage(1206, LogLevel.Warning, "Every value read recently was refused: {Reasons}")]
    public static partial void AllRefused(ILogger logger, string reasons);

    [LoggerMessage(1207, LogLevel.Information, "Values can be read again")]
    public static partial void ValuesReadable(ILogger logger);

    [LoggerMessage(1208, LogLevel.Warning, "Redis at {Servers} is unavailable ({Reason}); retrying until it answers")]
    public static partial void RedisAway(ILogger logger, string servers, string reason);

    [LoggerMessage(1209, LogLevel.Information, "Redis at {Servers} answers again")]
    public static partial void RedisBack(ILogger logger, string servers);

    [LoggerMessage(
        1212,
        LogLevel.Warning,
        "None of the {Items} items has a value of {Attributes}; if items should, check the trainer's STREAMING__Items__Attributes"
    )]
    public static partial void UnusedAttributes(ILogger logger, int items, string attributes);

    [LoggerMessage(1213, LogLevel.Information, "The graph of {Vectors} items was built in {Time} and takes {Bytes} bytes")]
    public static partial void GraphBuilt(ILogger logger, int vectors, TimeSpan time, long bytes);

    [LoggerMessage(
        1214,
        LogLevel.Warning,
        "Failed to build the graph ({Reason}); retrying in a minute; searches use the previous one, of {Vectors} items (0: exact search)"
    )]
    public static partial void GraphFailed(ILogger logger, string reason, int vectors);

    [LoggerMessage(
        1215,
        LogLevel.Information,
        "Generation {Generation} is served on trial: its index holds {Items} items in {Bytes} bytes"
    )]
    public static partial void TrialReady(ILogger logger, uint generation, int items, long bytes);

    [LoggerMessage(1216, LogLevel.Warning, "The trial of generation {Generation} is not running as set: {Reason}")]
    public static partial void TrialNotReady(ILogger logger, uint generation, string reason);

    [LoggerMessage(1211, LogLevel.Information, "gRPC at {Address}")]
    public static partial void GrpcListening(ILogger logger, Uri address);

    [LoggerMessage(1210, LogLevel.Warning, "The API keys in {Path} cannot be read again ({Reason}); those read before stay valid")]
    public static partial void ApiKeysUnreadable(ILogger logger, string path, string reason);
}
