using System.Text;
using Confluent.Kafka;
using Streaming.Lab.Embedded;
using Streaming.Tests;
using Streaming.Worker.Failures;
using Xunit;

namespace Streaming.Worker.Tests.Commands;

/// <summary>`streaming dead-letters` as a process, against a broker.</summary>
public sealed class DeadLettersCommandTests : IDisposable
{
    private const string Letters = "interactions.dead-letters";
    private readonly EmbeddedBroker _broker = new();

    public DeadLettersCommandTests()
    {
        _broker.CreateTopic("interactions", 3);
        _broker.CreateTopic("items", 1);
        _broker.CreateTopic(Letters, 2);
    }

    public void Dispose() => _broker.Dispose();

    [Fact]
    public async Task List_DeadLetters_CountsThemByTopicAndReasonWithAnExample()
    {
        await SendAsync(0, "a", "{\"userId\":1}", "NoUser", "interactions", 2, 40, "user_id is missing");
        await SendAsync(1, "b", "{\"userId\":2}", "NoUser", "interactions", 0, 41, "user_id is missing; the\u001b[31m record");
        await SendAsync(1, "c", "x", "KeyMismatch", "items", 0, 7, "the key is another");

        string output = await RunAsync(ExitCode.Success, "list");

        Assert.Contains("3 dead letters in interactions.dead-letters", output, StringComparison.Ordinal);
        Assert.Matches(@"\n +2  NoUser  interactions  .*\n +\[[01]\]@0, was interactions\[[02]\]@4[01]: user_id is missing", output);
        Assert.Matches(@"\n +1  KeyMismatch  items  .*\n +\[1\]@1, was items\[0\]@7: the key is another", output);
        Assert.DoesNotContain('\u001b', output);

        string few = await RunAsync(ExitCode.Success, "list", "--reason", "keymismatch");
        Assert.Contains("1 dead letters in", few, StringComparison.Ordinal);
        Assert.DoesNotContain("NoUser", few, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Show_ADeadLetter_PrintsHeadersKeyAndValueBounded()
    {
        await SendAsync(0, "key-1", "first", "NoUser", "interactions", 2, 40, "user_id is missing");
        await SendAsync(0, "key-2", new string('x', 10_000), "TooLarge", "interactions", 2, 41, "the value is long");
        await SendAsync(0, "key-3", "\u0001\u0002\u00ff", "Malformed", "interactions", 2, 42, "no message");

        string first = await RunAsync(ExitCode.Success, "show", "0", "0");
        Assert.Contains("header reason (6 bytes): NoUser", first, StringComparison.Ordinal);
        Assert.Contains("header __connect.errors.exception.message (18 bytes): user_id is missing", first, StringComparison.Ordinal);
        Assert.Contains("key (5 bytes): key-1", first, StringComparison.Ordinal);
        Assert.Contains("value (5 bytes): first", first, StringComparison.Ordinal);

        string second = await RunAsync(ExitCode.Success, "show", "0", "1", "--bytes", "10");
        Assert.Contains("value (10000 bytes, the first 10): xxxxxxxxxx\n", second, StringComparison.Ordinal);
        Assert.Contains("000000  01 02 c3 bf", await RunAsync(ExitCode.Success, "show", "0", "2"), StringComparison.Ordinal);
        Assert.Contains("has no record at offset 3", await RunAsync(ExitCode.Unavailable, "show", "0", "3"), StringComparison.Ordinal);
        Assert.Contains(
            "The partition is 2; allowed: 0 … 1",
            await RunAsync(ExitCode.Configuration, "show", "2", "0"),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Replay_AfterAFix_SendsBackWhatWasThereToWhereItWas()
    {
        await SendAsync(
            0,
            "u1",
            "fixed",
            "NoUser",
            "interactions",
            2,
            40,
            "user_id is missing",
            ("ce_id", "77"),
            ("timestamp", "1700000000123")
        );
        await SendAsync(0, "u2", "not this", "Malformed", "interactions", 0, 41, "no message");
        await SendAsync(1, "u3", "elsewhere", "NoUser", "payments", 0, 42, "user_id is missing");
        await SendAsync(1, "u4", "cut", "NoUser", "interactions", 1, 43, "user_id is missing", ("truncated-from", "20000"));

        string dry = await RunAsync(ExitCode.Success, "replay", "--reason", "NoUser", "--dry-run");
        Assert.Contains("1 dead letters would be replayed", dry, StringComparison.Ordinal);
        Assert.Empty(Consume("interactions", 3));

        string output = await RunAsync(ExitCode.Success, "replay", "--reason", "NoUser");
        Assert.Contains("1 of 1 dead letters replayed", output, StringComparison.Ordinal);
        Assert.Contains("1 left out: its topic is 'payments'; allowed: interactions, items", output, StringComparison.Ordinal);
        Assert.Contains("1 left out: its value was cut off", output, StringComparison.Ordinal);
        ConsumeResult<byte[], byte[]> record = Assert.Single(Consume("interactions", 3));
        Assert.Equal(2, record.Partition.Value);
        Assert.Equal("u1", Encoding.UTF8.GetString(record.Message.Key));
        Assert.Equal("fixed", Encoding.UTF8.GetString(record.Message.Value));
        Assert.Equal(1_700_000_000_123, record.Message.Timestamp.UnixTimestampMs);
        IHeader header = Assert.Single(record.Message.Headers);
        Assert.Equal(("ce_id", "77"), (header.Key, Encoding.UTF8.GetString(header.GetValueBytes())));
    }

    [Fact]
    public async Task Replay_FromAndTo_TakesOffsets()
    {
        for (int i = 0; i < 6; i++)
        {
            await SendAsync(0, $"u{i}", $"v{i}", "NoUser", "interactions", 0, i, "user_id is missing");
        }

        Assert.Contains(
            "2 dead letters would be replayed",
            await RunAsync(ExitCode.Success, "replay", "--from", "1", "--to", "3", "--partition", "0", "--dry-run"),
            StringComparison.Ordinal
        );
        string wrong = await RunAsync(ExitCode.Configuration, "replay", "--from", "yesterday", "--reason", "Broken");
        Assert.Contains("--from is 'yesterday'; allowed: an offset, or an ISO 8601 time", wrong, StringComparison.Ordinal);
        Assert.Contains("--reason is 'Broken'; allowed: Empty, TooLarge", wrong, StringComparison.Ordinal);
    }

    [Fact]
    public async Task List_NoBroker_EndsWithinALimitAndNamesIt()
    {
        _broker.Dispose();
        Assert.Contains(
            $"No answer from Kafka at {_broker.BootstrapServers}",
            await RunAsync(ExitCode.Unavailable, "list"),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task List_NoTopic_SaysSo()
    {
        _broker.SetTopicError(Letters, ErrorCode.UnknownTopicOrPart);
        Assert.Contains(
            "topic 'interactions.dead-letters' does not exist",
            await RunAsync(ExitCode.Unavailable, "list"),
            StringComparison.Ordinal
        );
    }

    private async Task<string> RunAsync(ExitCode expected, params string[] arguments)
    {
        using var process = StreamingProcess.Start(
            ["dead-letters", .. arguments],
            new Dictionary<string, string> { ["STREAMING__Kafka__BootstrapServers"] = _broker.BootstrapServers }
        );
        int code = await process.WaitForExitAsync();
        Assert.True(code == (int)expected, $"exit code {code}: {process.Output}");
        return process.Output;
    }

    private async Task SendAsync(
        int at,
        string key,
        string value,
        string reason,
        string topic,
        int partition,
        long offset,
        string message,
        params (string Name, string Value)[] more
    )
    {
        using IProducer<byte[], byte[]> producer = new ProducerBuilder<byte[], byte[]>(
            new ProducerConfig { BootstrapServers = _broker.BootstrapServers }
        ).Build();
        Headers headers = [];
        IEnumerable<(string Name, string Value)> all =
        [
            .. more,
            ("reason", reason),
            ("topic", topic),
            ("partition", $"{partition}"),
            ("offset", $"{offset}"),
            ("__connect.errors.exception.message", message),
        ];
        foreach ((string name, string text) in all)
        {
            headers.Add(name, Encoding.UTF8.GetBytes(text));
        }

        await producer.ProduceAsync(
            new TopicPartition(Letters, at),
            new Message<byte[], byte[]>
            {
                Key = Encoding.UTF8.GetBytes(key),
                Value = Encoding.UTF8.GetBytes(value),
                Headers = headers,
            },
            TestContext.Current.CancellationToken
        );
    }

    private List<ConsumeResult<byte[], byte[]>> Consume(string topic, int partitions)
    {
        using IConsumer<byte[], byte[]> consumer = new ConsumerBuilder<byte[], byte[]>(
            new ConsumerConfig
            {
                BootstrapServers = _broker.BootstrapServers,
                GroupId = "reader",
                EnablePartitionEof = true,
            }
        ).Build();
        consumer.Assign([
            .. Enumerable.Range(0, partitions).Select(partition => new TopicPartitionOffset(topic, partition, Offset.Beginning)),
        ]);
        List<ConsumeResult<byte[], byte[]>> records = [];
        for (int left = partitions; left > 0 && consumer.Consume(TimeSpan.FromSeconds(30)) is { } record; )
        {
            if (record.IsPartitionEOF)
            {
                left--;
            }
            else
            {
                records.Add(record);
            }
        }

        return records;
    }
}
