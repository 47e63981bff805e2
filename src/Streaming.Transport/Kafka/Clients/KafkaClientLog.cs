using Confluent.Kafka;

namespace Streaming.Transport.Kafka.Clients;

/// <summary>Of what librdkafka logs, what it reports in no other way.</summary>
internal static class KafkaClientLog
{
    /// <summary>A connection that ends before it was of use: to a client without a certificate, or with a wrong password, a
    /// broker says nothing else. Connections in use come and go.</summary>
    public static void Pass(LogMessage line, Action<Error> onError)
    {
        if (line is { Facility: "FAIL", Level: SyslogLevel.Info } && !line.Message.Contains("in state UP", StringComparison.Ordinal))
        {
            onError(new Error(ErrorCode.Local_Transport, line.Message));
        }
    }
}
