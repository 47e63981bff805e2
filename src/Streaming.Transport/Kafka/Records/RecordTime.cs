using Confluent.Kafka;
using Streaming.Transport.Kafka.Decoding;

namespace Streaming.Transport.Kafka.Records;

/// <summary>When a record was produced.</summary>
internal static class RecordTime
{
    /// <summary>Unix milliseconds, never in the future: a producer's clock that is ahead would empty the dedup window and show
    /// negative freshness.</summary>
    public static long Of(ConsumeResult<RecordBuffer, RecordBuffer> record, TimeProvider time)
    {
        long now = time.GetUtcNow().ToUnixTimeMilliseconds();
        Timestamp timestamp = record.Message.Timestamp;
        return timestamp.Type == TimestampType.NotAvailable ? now : Math.Clamp(timestamp.UnixTimestampMs, 0, now);
    }
}
