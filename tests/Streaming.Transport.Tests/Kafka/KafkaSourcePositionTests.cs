using System.Text;
using Streaming.Core.Ingestion;
using Streaming.Core.Positions;
using Streaming.Transport.Kafka;
using Streaming.Transport.Kafka.Clients;
using Xunit;

namespace Streaming.Transport.Tests.Kafka;

/// <summary>Restarts: only the checkpoint's positions decide where to continue.</summary>
public class KafkaSourcePositionTests
{
    [Theory]
    [InlineData(KafkaAssignment.Static, 7)]
    [InlineData(KafkaAssignment.Group, 1)]
    public async Task Run_AbortedAgainAndAgain_EachEventIsTrainedOnceInTheSurvivingLine(KafkaAssignment assignment, int kills)
    {
        const int Events = 4000;
        using KafkaHarness kafka = new(assignment: assignment);
        kafka.Batching = kafka.Batching with { CheckpointBatches = 3 };
        kafka.Produce(0, Events);
        Random random = new(3);
        List<(ulong User, ulong Item)> survived = [];
        IngestState state = new(kafka.Histories, kafka.Dedup);
        StreamPosition[] positions = [];
        for (int life = 0; life <= kills; life++)
        {
            await using RunningSource source = kafka.Start(state, positions);
            if (life == kills)
            {
                await source.ReadUntilAsync(_ =>
                    source.Batcher.Totals.Read == Events
                    && source.Batches[^1].Positions.Sum(static position => position.NextOffset) == Events
                );
                survived.AddRange(source.Examples);
                Assert.Equal(Events, source.Batcher.Totals.Trained);
                break;
            }

            // Crashes somewhere after its second checkpoint, losing what came after the last one.
            int batches = 7 + random.Next(20);
            while (source.Batches.Count < batches)
            {
                await source.NextAsync();
            }

            int last = source.Batches.FindLastIndex(static batch => batch.Snapshot is not null);
            survived.AddRange(
                source
                    .Batches.Take(last + 1)
                    .SelectMany(static batch => Enumerable.Range(0, batch.Count).Select(i => (batch.UserKeys[i], batch.ItemKeys[i])))
            );
            positions = [.. source.Batches[last].Positions];
            state = Reread(source.Batches[last].Snapshot!, kafka);
        }

        KafkaHarness.AssertEachOnce(Events, survived);
    }

    [Fact]
    public async Task Run_TopicWithFewerPartitions_StopsAndSaysSo()
    {
        using KafkaHarness kafka = new(partitions: 3);
        await using RunningSource source = kafka.Start(positions: [new StreamPosition(kafka.Options.InteractionsTopic, 4, 10)]);
        KafkaSourceException error = await Assert.ThrowsAsync<KafkaSourceException>(() =>
            source.Completion.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken)
        );
        Assert.StartsWith(
            "Topic 'interactions' has 3 partitions, but the model's positions name 5",
            error.Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Run_PartitionThatTheCheckpointDoesNotKnow_IsReadFromItsBeginning()
    {
        using KafkaHarness kafka = new(partitions: 2);
        kafka.Options = kafka.Options with { Start = "latest" }; // must not matter: the model has seen the topic
        using EventProducer producer = new(kafka.Options);
        for (int i = 0; i < 20; i++)
        {
            byte[] value = Google.Protobuf.MessageExtensions.ToByteArray(KafkaHarness.NumberedEvent(i));
            producer.SendRaw(kafka.Options.InteractionsTopic, [1], value, null, partition: i % 2);
        }

        producer.Flush(TestContext.Current.CancellationToken);
        await using RunningSource source = kafka.Start(positions: [new StreamPosition(kafka.Options.InteractionsTopic, 0, 8)]);
        await source.ReadAsync(12);
        await source.StopAsync();
        Assert.Equal(12, source.Counts.Trained);
        Assert.Equal([10L, 10L], source.Batches[^1].Positions.Select(static position => position.NextOffset));
    }

    [Theory]
    [InlineData(RecordFormat.Protobuf, "")]
    [InlineData(RecordFormat.Json, "user=who,item=what,time=when")]
    public async Task Run_UsersOfThreePartitions_EachIsDealtToTheRankThatReadsItsPartition(RecordFormat format, string columns)
    {
        const int Users = 30;
        using KafkaHarness kafka = new(partitions: 3);
        kafka.Options = kafka.Options with { InteractionsFormat = format, InteractionsColumns = columns };
        using EventProducer producer = new(kafka.Options);
        for (int i = 0; i < Users; i++)
        {
            byte[] value =
                columns.Length == 0
                    ? Google.Protobuf.MessageExtensions.ToByteArray(KafkaHarness.NumberedEvent(i))
                    : Encoding.UTF8.GetBytes($"{{\"who\":\"user-{i}\",\"what\":\"item-{i}\",\"when\":{1_700_000_000_000 + i}}}");
            producer.SendRaw(kafka.Options.InteractionsTopic, [1], value, null, partition: i % 3);
        }

        producer.Flush(TestContext.Current.CancellationToken);
        IngestState state = new(kafka.Histories, kafka.Dedup);
        await using (RunningSource source = kafka.Start(state, []))
        {
            await source.ReadAsync(Users);
            await source.StopAsync();
        }

        for (int rank = 0; rank < 3; rank++)
        {
            using MemoryStream bytes = new();
            using (IngestSnapshot snapshot = state.Share())
            {
                snapshot.WriteTo(bytes);
            }

            bytes.Position = 0;
            var dealt = IngestState.Deal([bytes], rank, 3, kafka.Histories, kafka.Dedup);
            ulong[] items = new ulong[dealt.Histories.Length];
            Assert.Equal(0, dealt.Dealing!.OfUnknownPartition);
            Assert.Equal(
                Enumerable.Range(0, Users).Where(user => user % 3 == rank),
                Enumerable.Range(0, Users).Where(user => dealt.Histories.Get(RunningSource.Key($"user-{user}"), items) > 0)
            );
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Run_PartitionEndsBeforeThePosition_StopsAndSaysSo(bool skipMissing)
    {
        using KafkaHarness kafka = new(partitions: 1);
        kafka.Options = kafka.Options with { SkipMissing = skipMissing };
        kafka.Produce(0, 10);
        await using RunningSource source = kafka.Start(positions: [new StreamPosition(kafka.Options.InteractionsTopic, 0, 5000)]);
        KafkaSourceException error = await Assert.ThrowsAsync<KafkaSourceException>(() =>
            source.Completion.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken)
        );
        Assert.StartsWith("interactions[0] ends at 10, before the model's position 5000", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_TopicAppearsLater_IsReadFromItsBeginning()
    {
        using KafkaHarness kafka = new();
        kafka.Options = kafka.Options with { InteractionsTopic = "later", MetadataRefresh = TimeSpan.FromMilliseconds(100) };
        await using RunningSource source = kafka.Start();
        await KafkaHarness.WaitAsync(() => source.Source.Status.IsCatalogueRead, "reading has begun");
        kafka.Broker.CreateTopic("later", 3);
        kafka.Produce(0, 100);
        await source.ReadAsync(100);
        await source.StopAsync();
        KafkaHarness.AssertEachOnce(100, source.Examples);
    }

    private static IngestState Reread(IngestSnapshot snapshot, KafkaHarness kafka)
    {
        using MemoryStream bytes = new();
        snapshot.WriteTo(bytes);
        snapshot.Dispose();
        bytes.Position = 0;
        return IngestState.Read(bytes, kafka.Histories, kafka.Dedup);
    }
}
