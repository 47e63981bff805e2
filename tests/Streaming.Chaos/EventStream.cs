using System.Diagnostics;
using System.Globalization;
using System.Text;
using Confluent.Kafka;
using Streaming.Contracts;
using Streaming.Transport.Kafka;
using Streaming.Transport.Kafka.Clients;

namespace Streaming.Chaos;

/// <summary>
/// Produces numbered events at a steady rate, most of them trainable, some with each other outcome, and records
/// the expected effect of each.
/// </summary>
internal sealed class EventStream(KafkaOptions kafka, int seed, int rate) : IDisposable
{
    public const int Users = 400;
    public const int Items = 300;

    /// <summary>Type of the events with weight 0.</summary>
    public const string SilentType = "impression";

    private readonly EventProducer _producer = new(kafka);
    private readonly Random _random = new(seed);
    private readonly byte[] _garbage = "{not an event"u8.ToArray();
    private long _number;
    private long _sent;
    private long _allowed = long.MaxValue;

    /// <summary>Gets the time between two sends. With a long one several records share a batch, which matters for an hour-long
    /// stream: librdkafka's broker walks over every batch it keeps to find an offset.</summary>
    public TimeSpan Pause { get; init; } = TimeSpan.FromMilliseconds(5);

    /// <summary>Gets the expected effects. Read after producing has ended.</summary>
    public ExpectedEffects Expected { get; } = new();

    /// <summary>Gets how many records were sent.</summary>
    public long Sent => Volatile.Read(ref _sent);

    /// <summary>Stops the stream at this many records, so that it never outruns what the embedded broker keeps.</summary>
    public void AllowUpTo(long records) => Volatile.Write(ref _allowed, records);

    /// <summary>Produces until stopped; all records are confirmed by the broker at the end.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        long begun = Stopwatch.GetTimestamp();
        long held = 0;
        while (!stopping.IsCancellationRequested)
        {
            long due = (long)(Stopwatch.GetElapsedTime(begun).TotalSeconds * rate) - held;
            while (_sent < due)
            {
                if (_sent >= Volatile.Read(ref _allowed))
                {
                    held += due - _sent;
                    break;
                }

                SendNext();
            }

            await Task.Delay(Pause, CancellationToken.None).ConfigureAwait(false);
        }

        _producer.Flush(CancellationToken.None);
        Expected.Resend(CountRecords() - _sent);
    }

    public void Dispose() => _producer.Dispose();

    /// <summary>The contents of the topic.</summary>
    private long CountRecords()
    {
        var limit = TimeSpan.FromSeconds(30);
        using IConsumer<Ignore, Ignore> client = new ConsumerBuilder<Ignore, Ignore>(
            new ConsumerConfig { BootstrapServers = kafka.BootstrapServers, GroupId = "counting" }
        ).Build();
        using IAdminClient admin = new DependentAdminClientBuilder(client.Handle).Build();
        return admin
            .GetMetadata(kafka.InteractionsTopic, limit)
            .Topics[0]
            .Partitions.Sum(partition =>
                client.QueryWatermarkOffsets(new TopicPartition(kafka.InteractionsTopic, partition.PartitionId), limit).High.Value
            );
    }

    private void SendNext()
    {
        int fate = _random.Next(200);
        if (fate == 0)
        {
            _producer.SendRaw(kafka.InteractionsTopic, Encoding.ASCII.GetBytes($"u{_random.Next(Users)}"), _garbage, null);
            Expected.DeadLetter();
            _sent++;
            return;
        }

        var interaction = new Interaction
        {
            UserId = $"u{_random.Next(Users)}",
            ItemId = $"i{Popular()}",
            Type = fate is 1 or 2 or 3 ? SilentType : "click",
            EventTimeMs = DateTimeOffsetNow(),
            EventId = string.Create(CultureInfo.InvariantCulture, $"e{_number++}"),
        };
        _producer.Send(interaction);
        _sent++;
        if (interaction.Type == SilentType)
        {
            Expected.KeepInHistory();
        }
        else
        {
            Expected.Train(interaction.ItemId);
        }

        if (fate is 4 or 5)
        {
            _producer.Send(interaction);
            Expected.Drop();
            _sent++;
        }
    }

    /// <summary>The smaller of two draws: popular items and a long tail.</summary>
    private int Popular() => Math.Min(_random.Next(Items), _random.Next(Items));

    private static long DateTimeOffsetNow() => TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
}
