using System.Text;
using Confluent.Kafka;
using Google.Protobuf;
using Streaming.Contracts;
using Streaming.Core.Events;
using Streaming.Tests;
using Streaming.Transport.Kafka;
using Streaming.Transport.Kafka.Clients;
using Streaming.Transport.Kafka.Decoding;
using Xunit;

namespace Streaming.Transport.Tests.Kafka;

/// <summary>
/// A stream with many damaged records: each record has exactly one outcome, and each bad one is dead-lettered byte for byte.
/// </summary>
public class HostileStreamTests
{
    private const int Records = 4000;

    [Theory]
    [InlineData(RecordFormat.Protobuf)]
    [InlineData(RecordFormat.Json)]
    public async Task Run_MutatedEvents_DeadLettersAreExactlyTheBadOnes(RecordFormat format)
    {
        using KafkaHarness kafka = new(partitions: 1);
        kafka.Options = kafka.Options with { InteractionsFormat = format, MaxDeadLetterRate = 1 };
        byte[][] values = Values(format);
        using (EventProducer producer = new(kafka.Options))
        {
            foreach (byte[] value in values)
            {
                producer.SendRaw(kafka.Options.InteractionsTopic, [], value, null);
            }

            producer.Flush(TestContext.Current.CancellationToken);
        }

        (long Offset, DeadLetterReason Reason)[] bad =
        [
            .. Judge(format, values)
                .Select(static (reason, i) => ((long)i, reason))
                .Where(static end => end.reason != DeadLetterReason.None),
        ];
        await using RunningSource source = kafka.Start();
        await source.ReadAsync(Records);
        await source.StopAsync();

        Assert.InRange(bad.Length, Records / 4, Records * 9 / 10);
        Assert.Equal(bad.Length, source.Counts.DeadLettered);
        Assert.Equal(source.Counts.Read, source.Counts.Decoded + source.Counts.DeadLettered);
        Assert.Equal(source.Counts.Decoded, source.Counts.Trained + source.Counts.HistoryOnly + source.Counts.Duplicates);
        int next = 0;
        foreach (ConsumeResult<byte[], byte[]> letter in Letters(kafka, bad.Length))
        {
            Assert.Equal($"{bad[next].Reason} {bad[next].Offset}", $"{Header(letter, "reason")} {Header(letter, "offset")}");
            Assert.Equal(values[bad[next].Offset], letter.Message.Value);
            next++;
        }

        Assert.Equal(bad.Length, next);
    }

    private static byte[][] Values(RecordFormat format)
    {
        Random random = new(41);
        return
        [
            .. Enumerable
                .Range(0, Records)
                .Select(i =>
                {
                    Interaction message = KafkaHarness.NumberedEvent(i);
                    byte[] good = format == RecordFormat.Protobuf ? message.ToByteArray() : ContractJson.Write(message);
                    return random.Next(4) == 0 ? good : Mutation.Of(good, random);
                }),
        ];
    }

    /// <summary>The outcome of each record by decoder and rules, sequentially and without a broker.</summary>
    private static IEnumerable<DeadLetterReason> Judge(RecordFormat format, byte[][] values)
    {
        EventDecoder decoder = new(format, 1 << 20);
        EventRules rules = new(
            new EventTypes(new Dictionary<string, float> { ["view"] = 1f, ["impression"] = 0f }),
            TimeSpan.FromMinutes(5),
            TimeProvider.System
        );
        foreach (byte[] value in values)
        {
            DeadLetterReason reason = decoder.Decode(value, out InteractionEvent decoded);
            yield return reason == DeadLetterReason.None ? rules.Check(decoded, out _) : reason;
        }
    }

    private static IEnumerable<ConsumeResult<byte[], byte[]>> Letters(KafkaHarness kafka, int count)
    {
        using IConsumer<byte[], byte[]> consumer = new ConsumerBuilder<byte[], byte[]>(
            new ConsumerConfig
            {
                BootstrapServers = kafka.Options.BootstrapServers,
                GroupId = "reader",
                EnablePartitionEof = true,
            }
        ).Build();
        consumer.Assign([new TopicPartitionOffset(kafka.Options.DeadLetterTopic, 0, Offset.Beginning)]);
        while (consumer.Consume(TimeSpan.FromSeconds(20)) is { IsPartitionEOF: false } letter)
        {
            yield return letter;
        }
    }

    private static string Header(ConsumeResult<byte[], byte[]> record, string name) =>
        Encoding.UTF8.GetString(record.Message.Headers.GetLastBytes(name));
}
