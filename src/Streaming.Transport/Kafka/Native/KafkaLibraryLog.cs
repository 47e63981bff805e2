using Microsoft.Extensions.Logging;

namespace Streaming.Transport.Kafka.Native;

/// <summary>Log messages about the choice of librdkafka. Ids 2090 to 2099.</summary>
internal static partial class KafkaLibraryLog
{
    [LoggerMessage(2090, LogLevel.Information, "librdkafka {Version} from {Path}")]
    public static partial void Loaded(ILogger logger, Version version, string path);

    [LoggerMessage(2091, LogLevel.Information, "librdkafka {Version} from {Path}, the build without Kerberos ({PassedOver})")]
    public static partial void LoadedWithoutKerberos(ILogger logger, Version version, string path, string passedOver);
}
