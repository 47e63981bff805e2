using System.Globalization;
using System.Text;
using System.Threading.Channels;
using Confluent.Kafka;
using Google.Protobuf;
using Streaming.Contracts;
using Streaming.Core.Events;
using Streaming.Core.Ingestion;
using Streaming.Core.Positions;
using Streaming.Transport.Kafka;
using Streaming.Transport.Kafka.Clients;
using Xunit;

namespace Streaming.Transport.Tests.Kafka;

public class KafkaSourceTests
{
    private const long Start = 1_700_000_000_000;

    [Theory]
    [InlineData(KafkaAssignment.Group, RecordFormat.Protobuf)]
    [InlineData(KafkaAssignment.Static, RecordFormat.Json)]
    public async Task Run_EventsOfEveryKind_EachMeetsExactlyOneEnd(KafkaAssignment assignment, RecordFormat format)
    {
        using KafkaHarness kafka = new(assignment: assignment);
        kafka.Options = kafka.Options with { InteractionsFormat = format };
        using EventProducer producer = new(kafka.Options);
        for (int i = 0; i < 1000; i++)
        {
            producer.Send(KafkaHarness.Event(i % 50, i % 70, Start + i, $"e{i}"));
        }

        for (int i = 0; i < 100; i++)
        {
            producer.Send(KafkaHarness.Event(i % 50, i % 70, Start + i, $"e{i}")); // again
            producer.Send(KafkaHarness.Event(i % 50, i % 70, Start + i, type: "impression"));
            producer.SendRaw(kafka.Options.InteractionsTopic, [1], Encoding.UTF8.GetBytes($"bad {i}"), null);
        }

        producer.Flush(TestContext.Current.CancellationToken);
        await using RunningSource source = kafka.Start();
        await source.ReadAsync(1300);
        await source.StopAsync();

        Assert.Equal(
            new EventCounts
            {
                Read = 1300,
                Decoded = 1200,
                Trained = 1000,
                HistoryOnly = 100,
                DeadLettered = 100,
                Duplicates = 100,
            },
            source.Counts
        );
        Assert.Equal(source.Counts, source.Batcher.Totals);
        Assert.Equal(1000, source.Examples.Count());
        Assert.NotNull(source.Batches[^1].Snapshot);
        Assert.Equal(1300, source.Batches[^1].Positions.Sum(static position => position.NextOffset));
        Assert.Equal(100, source.Source.Rejections(DeadLetterReason.Malformed));
    }

    [Fact]
    public async Task Run_ProducedTimes_AreTheRecordsAndNeverInTheFuture()
    {
        using KafkaHarness kafka = new(partitions: 1);
        using EventProducer producer = new(kafka.Options);
        long future = DateTimeOffset
            .Parse("2100-01-01T00:00:00Z", System.Globalization.CultureInfo.InvariantCulture)
            .ToUnixTimeMilliseconds();
        producer.Send(KafkaHarness.Event(1, 1, Start), producedTime: Start + 5);
        producer.Send(KafkaHarness.Event(1, 2, Start), producedTime: future);
        producer.Flush(TestContext.Current.CancellationToken);
        await using RunningSource source = kafka.Start();
        await source.ReadAsync(2);
        long[] times = [.. source.Batches.SelectMany(static batch => batch.ProducedTimes.Take(batch.Count))];
        Assert.Equal(Start + 5, times[0]);
        Assert.InRange(times[1], Start, TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds());
    }

    [Fact]
    public async Task Run_DeadLetters_CarryTheOriginalBytesAndWhereTheyStood()
    {
        using KafkaHarness kafka = new(partitions: 2);
        using EventProducer producer = new(kafka.Options);
        kafka.Options = kafka.Options with { MaxRecordBytes = 2000 };
        (byte[] Value, DeadLetterReason Reason)[] bad =
        [
            ([], DeadLetterReason.Empty),
            ([0xFF, 0xFF], DeadLetterReason.Malformed),
            ([0, 1], DeadLetterReason.BadWireHeader),
            (new Interaction { ItemId = "i", EventTimeMs = Start }.ToByteArray(), DeadLetterReason.NoUser),
            (new Interaction { UserId = "u", EventTimeMs = Start }.ToByteArray(), DeadLetterReason.NoItem),
            (new Interaction { UserId = "u", ItemId = "i" }.ToByteArray(), DeadLetterReason.NoTime),
            (
                new Interaction
                {
                    UserId = "u",
                    ItemId = "i",
                    EventTimeMs = long.MaxValue,
                }.ToByteArray(),
                DeadLetterReason.TimeInFuture
            ),
            (
                new Interaction
                {
                    UserId = "u",
                    ItemId = "i",
                    EventTimeMs = Start,
                    Value = double.NaN,
                }.ToByteArray(),
                DeadLetterReason.InvalidNumber
            ),
            (
                new Interaction
                {
                    UserId = new string('u', 300),
                    ItemId = "i",
                    EventTimeMs = Start,
                }.ToByteArray(),
                DeadLetterReason.IdTooLong
            ),
            (new byte[2001], DeadLetterReason.TooLarge),
        ];
        for (int i = 0; i < bad.Length; i++)
        {
            producer.Send(KafkaHarness.NumberedEvent(i));
            producer.SendRaw(kafka.Options.InteractionsTopic, [(byte)i], bad[i].Value, null, partition: 1);
        }

        producer.Flush(TestContext.Current.CancellationToken);
        await using (RunningSource source = kafka.Start())
        {
            await source.ReadAsync(2 * bad.Length);
            Assert.Equal(bad.Length, source.Counts.DeadLettered);
        }

        List<ConsumeResult<byte[], byte[]>> letters = Consume(kafka, kafka.Options.DeadLetterTopic, bad.Length);
        Assert.Equal(bad.Length, letters.Count);
        for (int i = 0; i < bad.Length; i++)
        {
            Assert.Equal([(byte)i], letters[i].Message.Key);
            Assert.Equal(bad[i].Value, letters[i].Message.Value);
            Assert.Equal(bad[i].Reason.ToString(), Header(letters[i], "reason"));
            Assert.Equal(kafka.Options.InteractionsTopic, Header(letters[i], "topic"));
            Assert.Equal("1", Header(letters[i], "partition"));
            Assert.Equal("1", Header(letters[i], "__connect.errors.partition"));
            Assert.Equal(kafka.Options.InteractionsTopic, Header(letters[i], "__connect.errors.topic"));
            Assert.Equal(kafka.Options.GroupId, Header(letters[i], "__connect.errors.connector.name"));
            Assert.EndsWith($".{bad[i].Reason}", Header(letters[i], "__connect.errors.exception.class.name"), StringComparison.Ordinal);
            Assert.Equal(Header(letters[i], "offset"), Header(letters[i], "__connect.errors.offset"));
            Assert.True(long.Parse(Header(letters[i], "timestamp"), CultureInfo.InvariantCulture) > Start);
        }

        Assert.Equal("TASK_PUT", Header(letters[3], "__connect.errors.stage"));
        Assert.Equal("VALUE_CONVERTER", Header(letters[1], "__connect.errors.stage"));
        Assert.Equal(
            [
                "the record has no value",
                "the bytes are not a message of the contract: 0xFFFF; STREAMING__Kafka__InteractionsFormat is Protobuf",
                "the value begins with byte 0, but not with a schema registry's header: 0x0001",
                "the user id is missing or empty",
                "the item id is missing or empty",
                "the event time is missing or 0; allowed: Unix milliseconds",
                "the event time is 9223372036854775807; allowed: Unix milliseconds up to 00:05:00 ahead of the clock "
                    + "(STREAMING__Events__AllowedFuture)",
                "the value is NaN; allowed: a finite number",
                $"the user id is \"{new string('u', 60)}\"... (300 bytes); allowed: at most 256 bytes",
                "the value has 2001 bytes; allowed: at most 2000 (STREAMING__Kafka__MaxRecordBytes)",
            ],
            letters.Select(static letter => Header(letter, "__connect.errors.exception.message"))
        );
        string[] offsets = [.. letters.Select(static letter => Header(letter, "offset"))];
        ConsumeResult<byte[], byte[]>[] originals =
        [
            .. Consume(kafka, kafka.Options.InteractionsTopic, 2 * bad.Length)
                .Where(static record => record.Partition.Value == 1 && record.Message.Key.Length == 1),
        ];
        Assert.Equal(originals.Select(static record => $"{record.Offset.Value}"), offsets);
    }

    [Fact]
    public async Task Run_DeadLetterTooLargeForItsTopic_ArrivesCutOff()
    {
        using KafkaHarness kafka = new(partitions: 2);
        using EventProducer producer = new(kafka.Options);
        byte[] value = [.. Enumerable.Repeat((byte)0xFF, 20_000)];
        producer.SendRaw(kafka.Options.InteractionsTopic, "key"u8.ToArray(), value, null, partition: 1);
        producer.Flush(TestContext.Current.CancellationToken);
        kafka.Broker.FailNext(0, ErrorCode.MsgSizeTooLarge);
        await using RunningSource source = kafka.Start();
        await source.ReadAsync(1);
        ConsumeResult<byte[], byte[]> letter = Assert.Single(Consume(kafka, kafka.Options.DeadLetterTopic, 1));
        Assert.Equal("key"u8.ToArray(), letter.Message.Key);
        Assert.Equal(value[..16_384], letter.Message.Value);
        Assert.Equal("20000", Header(letter, "truncated-from"));
        Assert.Equal("Malformed", Header(letter, "reason"));
    }

    [Fact]
    public async Task Run_MostRecordsBad_StopsAndSaysWhy()
    {
        using KafkaHarness kafka = new(partitions: 1);
        kafka.Options = kafka.Options with { DeadLetterWindow = 100, MaxDeadLetterRate = 0.2 };
        using EventProducer producer = new(kafka.Options);
        for (int i = 0; i < 500; i++)
        {
            if (i < 200 || i % 2 == 0)
            {
                producer.Send(KafkaHarness.NumberedEvent(i));
            }
            else
            {
                producer.SendRaw(kafka.Options.InteractionsTopic, [1], "{}"u8.ToArray(), null);
            }
        }

        producer.Flush(TestContext.Current.CancellationToken);
        await using RunningSource source = kafka.Start(queue: 100);
        KafkaSourceException error = await Assert.ThrowsAsync<KafkaSourceException>(() =>
            source.Completion.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken)
        );
        Assert.StartsWith(
            "21 of the newest 100 records of topic 'interactions' were dead letters, the last: Malformed, the value looks like JSON: "
                + "\"{}\"; STREAMING__Kafka__InteractionsFormat is Protobuf. STREAMING__Kafka__MaxDeadLetterRate allows 20.0 %.",
            error.Message,
            StringComparison.Ordinal
        );
        ChannelClosedException fromChannel = await Assert.ThrowsAsync<ChannelClosedException>(() =>
            source.ReadUntilAsync(static _ => false)
        );
        Assert.Equal(error.Message, fromChannel.GetBaseException().Message);
    }

    [Fact]
    public async Task Run_DeadLetterTopicRefuses_PositionsDoNotPass()
    {
        using KafkaHarness kafka = new(partitions: 1);
        using EventProducer producer = new(kafka.Options);
        producer.Send(KafkaHarness.NumberedEvent(0));
        producer.SendRaw(kafka.Options.InteractionsTopic, [1], [0xFF], null);
        producer.Flush(TestContext.Current.CancellationToken);
        kafka.Broker.FailNext(0, ErrorCode.ClusterAuthorizationFailed); // for good, unlike a right to the topic, which may be granted
        await using RunningSource source = kafka.Start();
        await Assert.ThrowsAsync<KafkaUnavailableException>(() =>
            source.Completion.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken)
        );
        await Assert.ThrowsAsync<ChannelClosedException>(() => source.ReadUntilAsync(static _ => false));
        Assert.DoesNotContain(source.Batches, static batch => batch.Positions.Exists(static position => position.NextOffset > 1));
    }

    [Fact]
    public async Task Run_StopRequested_HandsOnWhatWasReadWithASnapshot()
    {
        using KafkaHarness kafka = new();
        kafka.Batching = kafka.Batching with { Linger = Timeout.InfiniteTimeSpan };
        kafka.Produce(0, 50);
        await using RunningSource source = kafka.Start();
        await source.ReadUntilAsync(static counts => counts.Read >= 32);
        await KafkaHarness.WaitAsync(
            () => source.Source.Status.Partitions.Count(static partition => partition.Records == 0) == 3,
            "everything is read"
        );
        await source.StopAsync();
        Assert.Equal(50, source.Counts.Trained);
        Assert.NotNull(source.Batches[^1].Snapshot);
        Assert.Equal(18, source.Batches[^1].Count);
    }

    [Fact]
    public async Task Run_CheckpointRequestedWhileIdle_ABatchComesAnyway()
    {
        using KafkaHarness kafka = new();
        await using RunningSource source = kafka.Start();
        source.Batcher.RequestCheckpoint();
        Batch batch = await source.NextAsync();
        Assert.Equal(0, batch.Count);
        Assert.NotNull(batch.Snapshot);
    }

    [Fact]
    public async Task Run_StartLatest_LeavesOutWhatWasThere()
    {
        using KafkaHarness kafka = new();
        kafka.Options = kafka.Options with { Start = "latest" };
        kafka.Produce(1000, 100);
        await using RunningSource source = kafka.Start();
        await KafkaHarness.WaitAsync(() => source.Source.Status.Partitions.Count == 3, "partitions are assigned");
        kafka.Produce(0, 60);
        await source.ReadAsync(60);
        await source.StopAsync();
        KafkaHarness.AssertEachOnce(60, source.Examples);
    }

    [Fact]
    public async Task Commit_AfterACheckpoint_IsSeenByTheGroup()
    {
        using KafkaHarness kafka = new(partitions: 1, assignment: KafkaAssignment.Group);
        kafka.Produce(0, 40);
        await using RunningSource source = kafka.Start();
        await source.ReadAsync(40);
        Assert.Equal(Offset.Unset, Committed(kafka));
        source.Source.Commit([new StreamPosition(kafka.Options.InteractionsTopic, 0, 32)]);
        await KafkaHarness.WaitAsync(() => Committed(kafka) == 32, "the commit arrives");
    }

    private static Offset Committed(KafkaHarness kafka)
    {
        using IConsumer<byte[], byte[]> consumer = new ConsumerBuilder<byte[], byte[]>(
            new ConsumerConfig { BootstrapServers = kafka.Options.BootstrapServers, GroupId = kafka.Options.GroupId }
        ).Build();
        return consumer.Committed([new TopicPartition(kafka.Options.InteractionsTopic, 0)], TimeSpan.FromSeconds(10)).Single().Offset;
    }

    private static List<ConsumeResult<byte[], byte[]>> Consume(KafkaHarness kafka, string topic, int count)
    {
        using IConsumer<byte[], byte[]> consumer = new ConsumerBuilder<byte[], byte[]>(
            new ConsumerConfig
            {
                BootstrapServers = kafka.Options.BootstrapServers,
                GroupId = "reader",
                EnablePartitionEof = false,
            }
        ).Build();
        consumer.Assign([
            .. Enumerable
                .Range(0, topic == kafka.Options.DeadLetterTopic ? 1 : 2)
                .Select(partition => new TopicPartitionOffset(topic, partition, Offset.Beginning)),
        ]);
        List<ConsumeResult<byte[], byte[]>> records = [];
        while (records.Count < count && consumer.Consume(TimeSpan.FromSeconds(20)) is { } record)
        {
            records.Add(record);
        }

        return records;
    }

    private static string Header(ConsumeResult<byte[], byte[]> record, string name) =>
        Encoding.UTF8.GetString(record.Message.Headers.GetLastBytes(name));
}
