using System.Collections.Concurrent;
using System.Text;
using Confluent.Kafka;
using Google.Protobuf;
using Streaming.Chaos;
using Streaming.Contracts;

namespace Streaming.Kafka.Tests.Bench;

/// <summary>Produces events, once each, and records each one's position and expected effect.</summary>
internal sealed class Ledger : IAsyncDisposable
{
    private const int Users = 60;
    private const int Items = 40;
    private static readonly byte[] Garbage = "{not an event"u8.ToArray();
    private readonly IProducer<byte[]?, byte[]?> _producer;
    private readonly string _topic;
    private readonly Random _random = new(1);
    private readonly ConcurrentQueue<SentEvent> _records = new();
    private readonly ConcurrentQueue<Error> _failures = new();
    private readonly CancellationTokenSource _stop = new();
    private Task _stream = Task.CompletedTask;
    private long _number;

    /// <summary>Creates a producer.</summary>
    /// <param name="client">Connection settings.</param>
    /// <param name="topic">The topic.</param>
    /// <param name="configure">Changes the producer's settings.</param>
    public Ledger(ClientConfig client, string topic, Action<ProducerConfig>? configure = null)
    {
        _topic = topic;

        // Idempotent: a record stored without an acknowledgement is not stored twice.
        ProducerConfig config = new(new Dictionary<string, string>(client))
        {
            EnableIdempotence = true,
            LingerMs = 5,
            MessageTimeoutMs = 120_000,
            TopicMetadataRefreshIntervalMs = 500,
        };
        configure?.Invoke(config);
        _producer = new ProducerBuilder<byte[]?, byte[]?>(config)
            .SetLogHandler(static (_, _) => { })
            .SetErrorHandler(static (_, _) => { })
            .Build();
    }

    /// <summary>Gets the producer, for transactions.</summary>
    public IProducer<byte[]?, byte[]?> Producer => _producer;

    /// <summary>Gets the records acknowledged by the broker.</summary>
    public IReadOnlyCollection<SentEvent> Records => _records;

    /// <summary>Starts over: events sent so far are no longer expected.</summary>
    public void Forget() => _records.Clear();

    /// <summary>Adds what another producer has sent to the topic.</summary>
    public void Add(Ledger other)
    {
        foreach (SentEvent sent in other._records)
        {
            _records.Enqueue(sent);
        }
    }

    /// <summary>Returns the expected effects of these events.</summary>
    /// <param name="isRead">Which events count; null: all.</param>
    public ExpectedEffects Expected(Func<SentEvent, bool>? isRead = null)
    {
        var effects = new ExpectedEffects();
        foreach (SentEvent sent in _records.Where(isRead ?? (static _ => true)))
        {
            switch (sent.Fate)
            {
                case Fate.Train:
                    effects.Train(sent.Item);
                    break;
                case Fate.Silent:
                    effects.KeepInHistory();
                    break;
                default:
                    effects.DeadLetter();
                    break;
            }
        }

        return effects;
    }

    /// <summary>Sends events, most of them trainable, and waits until the broker has acknowledged them.</summary>
    /// <param name="count">Number of events.</param>
    /// <param name="partition">The partition; null: by user.</param>
    /// <param name="time">The records' timestamp; null: now.</param>
    public async Task SendAsync(int count, int? partition = null, DateTimeOffset? time = null)
    {
        if (partition is { } number)
        {
            await UntilKnownAsync(number);
        }

        long target = _records.Count + count;
        for (int i = 0; i < count; i++)
        {
            Send(partition, time);
        }

        await Until.TrueAsync(
            () => Task.FromResult(_records.Count >= target || !_failures.IsEmpty),
            () => $"{target} records taken; {_records.Count} are"
        );
        Xunit.Assert.Empty(_failures);
    }

    /// <summary>Starts sending events at a rate, until <see cref="EndStreamAsync"/>.</summary>
    public void Stream(int rate) => _stream = StreamAsync(rate);

    /// <summary>Ends the stream, after which the broker has all of it.</summary>
    public async Task EndStreamAsync()
    {
        await _stop.CancelAsync();
        await _stream;
        Xunit.Assert.Empty(_failures);
    }

    /// <summary>Sends one record of arbitrary bytes, and records its expected effect.</summary>
    public async Task SendAsync(byte[]? key, byte[]? value, Headers? headers, Fate fate, string item = "")
    {
        DeliveryResult<byte[]?, byte[]?> sent = await _producer.ProduceAsync(
            _topic,
            new Message<byte[]?, byte[]?>
            {
                Key = key,
                Value = value,
                Headers = headers,
            }
        );
        _records.Enqueue(new SentEvent(sent.Partition.Value, sent.Offset.Value, fate, item));
    }

    /// <summary>Creates a trainable event.</summary>
    public Interaction NewEvent() =>
        new()
        {
            UserId = $"u{_random.Next(Users)}",
            ItemId = $"i{_random.Next(Items)}",
            Type = "click",
            EventTimeMs = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(),
            EventId = $"{_producer.Name}-{_number++}",
        };

    /// <summary>Ends the stream, if there is one: the native client must not be used after disposal.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _stream;
        _producer.Dispose();
        _stop.Dispose();
    }

    private async Task StreamAsync(int rate)
    {
        while (!_stop.IsCancellationRequested)
        {
            for (int i = 0; i < rate / 20; i++)
            {
                Send(null, null);
            }

            await Task.Delay(50);
        }

        await Task.Run(() => _producer.Flush(CancellationToken.None));
    }

    /// <summary>The client refuses a partition that it does not know yet.</summary>
    private Task UntilKnownAsync(int partition) =>
        Until.TrueAsync(
            () =>
            {
                using IAdminClient admin = new DependentAdminClientBuilder(_producer.Handle).Build();
                return Task.FromResult(
                    admin.GetMetadata(_topic, TimeSpan.FromSeconds(30)).Topics[0].Partitions.Exists(known => known.PartitionId == partition)
                );
            },
            () => $"the producer knows partition {partition}"
        );

    private void Send(int? partition, DateTimeOffset? time)
    {
        Interaction interaction = NewEvent();
        Fate fate = _random.Next(100) switch
        {
            0 => Fate.Dead,
            < 4 => Fate.Silent,
            _ => Fate.Train,
        };
        interaction.Type = fate == Fate.Silent ? EventStream.SilentType : "click";
        var message = new Message<byte[]?, byte[]?>
        {
            Key = Encoding.UTF8.GetBytes(interaction.UserId),
            Value = fate == Fate.Dead ? Garbage : interaction.ToByteArray(),
            Timestamp = time is { } at ? new Timestamp(at) : Timestamp.Default,
        };
        _producer.Produce(
            new TopicPartition(_topic, partition ?? Partition.Any),
            message,
            report => Note(report, fate, interaction.ItemId)
        );
    }

    private void Note(DeliveryReport<byte[]?, byte[]?> report, Fate fate, string item)
    {
        if (report.Error.IsError)
        {
            _failures.Enqueue(report.Error);
        }
        else
        {
            _records.Enqueue(new SentEvent(report.Partition.Value, report.Offset.Value, fate, item));
        }
    }
}
