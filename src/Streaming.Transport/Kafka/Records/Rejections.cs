using Confluent.Kafka;
using Microsoft.Extensions.Logging;
using Streaming.Core.Events;
using Streaming.Transport.Kafka.Clients;
using Streaming.Transport.Kafka.Decoding;

namespace Streaming.Transport.Kafka.Records;

/// <summary>
/// What is done with the records of a topic that cannot be used: counted, logged, sent to the dead letters, and their share watched. On the
/// reading thread.
/// </summary>
/// <param name="topic">The topic.</param>
/// <param name="options">How many dead letters are allowed, and who reads.</param>
/// <param name="send">Sends a dead letter; false: it could not be sent before the end.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Log.</param>
internal sealed class Rejections(
    string topic,
    KafkaOptions options,
    Func<Message<byte[]?, byte[]?>, bool> send,
    TimeProvider time,
    ILogger logger
)
{
    private readonly RejectionCounts _counts = new(topic);
    private readonly RejectionLog _log = new(topic, time, logger);
    private readonly DeadLetterRate _rate = new(topic, options.MaxDeadLetterRate, options.DeadLetterWindow);

    /// <summary>Gets how many there were, by reason. Any thread.</summary>
    public RejectionCounts Counts => _counts;

    /// <summary>Gets what is wrong with the newest records as a whole; empty: most of them are good.</summary>
    public string Problem => _rate.Problem;

    /// <summary>Counts and logs a record that is not, and sends it to the dead letters.</summary>
    /// <param name="record">The record.</param>
    /// <param name="reason">Why.</param>
    /// <param name="explanation">Why, in words: the field, its value, what is allowed.</param>
    /// <returns>False when the dead letter could not be sent before the end: the record keeps its place in the stream.</returns>
    public bool Reject(ConsumeResult<RecordBuffer, RecordBuffer> record, DeadLetterReason reason, string explanation)
    {
        _counts.Add(reason);
        _log.Add(record.Partition.Value, record.Offset.Value, reason, explanation);
        return send(DeadLetter.Of(topic, record, reason, explanation, options.GroupId));
    }

    /// <summary>Watches the share of dead letters: to be told of every record, once its position has been passed.</summary>
    /// <exception cref="KafkaSourceException">There are too many.</exception>
    public void Watch(DeadLetterReason reason, string explanation) => _rate.Count(reason, explanation);

    /// <summary>Logs what has not been said yet: of reasons last logged a minute ago, or at the end of all.</summary>
    public void Report(bool isEnd) => _log.Report(isEnd);
}
