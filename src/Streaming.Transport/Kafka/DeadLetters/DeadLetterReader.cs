using System.Diagnostics;
using Confluent.Kafka;
using Streaming.Transport.Kafka.Clients;
using Streaming.Transport.Kafka.Topics;

namespace Streaming.Transport.Kafka.DeadLetters;

/// <summary>Reads the dead-letter topic, for people. It belongs to no group and commits nothing. Not for several threads at once.</summary>
public sealed class DeadLetterReader : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan StallLimit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan PollTime = TimeSpan.FromMilliseconds(100);

    private readonly string _topic;
    private readonly string _servers;
    private readonly ClusterQuestion _question;
    private readonly IConsumer<byte[]?, byte[]?> _consumer;

    /// <summary>Opens the topic.</summary>
    /// <param name="options">How to reach Kafka, and the topic.</param>
    /// <exception cref="KafkaUnavailableException">No broker answers within 10 s, the topic is missing, or it may not be read.</exception>
    public DeadLetterReader(KafkaOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _topic = options.DeadLetterTopic;
        _servers = options.BootstrapServers;
        _question = new ClusterQuestion(options);
        TopicState state = _question.Describe(_topic);
        Partitions =
            state.Exists && state.CanRead
                ? state.Partitions
                : throw new KafkaUnavailableException($"The dead letters cannot be read: {state.ReadProblem}.");
        ConsumerConfig config = KafkaClientSettings.Consumer(options, joins: false, commits: false);
        config.GroupId = "dead-letters"; // The client wants a name; nothing joins the group or commits to it.
        config.ConsumeResultFields = "all";
        config.AutoOffsetReset = AutoOffsetReset.Earliest; // Retention may pass a position while it is read.
        _consumer = new ConsumerBuilder<byte[]?, byte[]?>(config)
            .SetErrorHandler((_, error) => _question.Note(error))
            .SetLogHandler((_, line) => KafkaClientLog.Pass(line, _question.Note))
            .Build();
    }

    /// <summary>Gets the number of partitions that the topic has.</summary>
    public int Partitions { get; }

    /// <summary>Reads what is in a range, to the ends that its partitions have now.</summary>
    /// <exception cref="KafkaUnavailableException">Nothing has come for 30 s.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public IEnumerable<StoredDeadLetter> Read(DeadLetterRange range, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(range);
        Dictionary<int, long> ends = Assign(range);
        long lastNews = Stopwatch.GetTimestamp();
        while (ends.Count > 0)
        {
            cancellationToken.ThrowIfCancellationRequested();
            ConsumeResult<byte[]?, byte[]?>? record = Poll();
            if (record is null)
            {
                RequireNews(lastNews);
                continue;
            }

            lastNews = Stopwatch.GetTimestamp();
            int partition = record.Partition.Value;
            bool isMeant = !record.IsPartitionEOF && ends.TryGetValue(partition, out long end) && record.Offset.Value < end;
            if (isMeant && new StoredDeadLetter(record) is var letter && range.Takes(letter))
            {
                yield return letter;
            }

            // What lies between the last record and the end are markers of transactions.
            if (record.IsPartitionEOF || (ends.TryGetValue(partition, out long last) && record.Offset.Value + 1 >= last))
            {
                ends.Remove(partition);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _consumer.Dispose();
        _question.Dispose();
    }

    private ConsumeResult<byte[]?, byte[]?>? Poll()
    {
        try
        {
            return _consumer.Consume((int)PollTime.TotalMilliseconds);
        }
        catch (ConsumeException exception)
        {
            throw new KafkaUnavailableException($"Topic '{_topic}' cannot be read: {exception.Error.Reason}.", exception);
        }
    }

    private void RequireNews(long since)
    {
        if (Stopwatch.GetElapsedTime(since) > StallLimit)
        {
            throw new KafkaUnavailableException(
                $"Topic '{_topic}' cannot be read: nothing has come from {_servers} for {StallLimit.TotalSeconds:0} s{_question.Why}."
            );
        }
    }

    // Only partitions that hold something are read: each ends at the end it has now.
    private Dictionary<int, long> Assign(DeadLetterRange range)
    {
        List<TopicPartitionOffset> starts = [];
        Dictionary<int, long> ends = [];
        IEnumerable<int> partitions = range.Partition is int only ? [only] : Enumerable.Range(0, Partitions);
        foreach (TopicPartition partition in partitions.Select(partition => new TopicPartition(_topic, partition)))
        {
            WatermarkOffsets marks = Ask(() => _consumer.QueryWatermarkOffsets(partition, Limit));
            long start = Math.Max(marks.Low.Value, range.From is { } from ? Find(partition, from, marks) : marks.Low.Value);
            long end = Math.Min(marks.High.Value, range.To is { } to ? Find(partition, to, marks) : marks.High.Value);
            if (start < end)
            {
                starts.Add(new TopicPartitionOffset(partition, start));
                ends.Add(partition.Partition.Value, end);
            }
        }

        _consumer.Assign(starts);
        return ends;
    }

    private long Find(TopicPartition partition, DeadLetterPoint point, WatermarkOffsets marks)
    {
        if (point.Time is not { } time)
        {
            return point.Offset ?? marks.Low.Value;
        }

        var at = new TopicPartitionTimestamp(partition, new Timestamp(time.ToUnixTimeMilliseconds(), TimestampType.CreateTime));
        long offset = Ask(() => _consumer.OffsetsForTimes([at], Limit)).Single().Offset.Value;
        return offset >= 0 ? offset : marks.High.Value; // Nothing is as young.
    }

    private T Ask<T>(Func<T> ask)
    {
        try
        {
            return ask();
        }
        catch (KafkaException exception)
        {
            throw new KafkaUnavailableException(
                $"Topic '{_topic}' cannot be read from {_servers}: {exception.Error.Reason}{_question.Why}.",
                exception
            );
        }
    }
}
