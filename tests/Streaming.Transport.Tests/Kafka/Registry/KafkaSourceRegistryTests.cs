using System.Text;
using Confluent.Kafka;
using Streaming.Core.Events;
using Streaming.Core.Options;
using Streaming.Transport.Kafka;
using Streaming.Transport.Kafka.Clients;
using Xunit;

namespace Streaming.Transport.Tests.Kafka.Registry;

/// <summary>Topics whose values name schemas of a registry.</summary>
public sealed class KafkaSourceRegistryTests : IAsyncLifetime
{
    private const string Old =
        """{"type":"record","name":"Click","fields":[{"name":"user_id","type":"long"},{"name":"item_id","type":"string"},{"name":"at","type":{"type":"long","logicalType":"timestamp-millis"}}]}""";
    private const string New =
        """{"type":"record","name":"Click","fields":[{"name":"campaign","type":["null","string"],"default":null},{"name":"user_id","type":"long"},{"name":"item_id","type":"string"},{"name":"at","type":{"type":"long","logicalType":"timestamp-millis"}}]}""";
    private const string Item =
        """{"type":"record","name":"Item","fields":[{"name":"sku","type":"string"},{"name":"name","type":"string"}]}""";

    private readonly KafkaHarness _kafka = new(partitions: 1, withItems: true);
    private StubRegistry _registry = null!;

    public async ValueTask InitializeAsync()
    {
        _registry = await StubRegistry.StartAsync();
        _registry.Answers["/api/schemas/ids/1"] = RegistryClientTests.Answer(Old);
        _registry.Answers["/api/schemas/ids/2"] = RegistryClientTests.Answer(New);
        _registry.Answers["/api/schemas/ids/3"] = RegistryClientTests.Answer(Item);
        _kafka.Options = _kafka.Options with
        {
            InteractionsFormat = RecordFormat.Registry,
            ItemsFormat = RecordFormat.Registry,
            ItemsColumns = "item=sku,title=name",
            MaxDeadLetterRate = 1,
            Registry = new RegistryOptions { Url = _registry.Url },
        };
    }

    public async ValueTask DisposeAsync()
    {
        _kafka.Dispose();
        await _registry.DisposeAsync();
    }

    [Fact]
    public async Task Run_SchemaThatEvolves_IsReadByNamesAndFetchedOnce()
    {
        Send(_kafka.Options.ItemsTopic, Framed(3, Text("sku-1"), Text("Title")));
        for (int i = 0; i < 100; i++)
        {
            Send(_kafka.Options.InteractionsTopic, i < 50 ? Framed(1, Click(i)) : Framed(2, [0], Click(i)));
        }

        await using RunningSource source = _kafka.Start();
        await source.ReadAsync(100);
        await source.StopAsync();
        Assert.Equal(100, source.Counts.Trained);
        KafkaHarness.AssertEachOnce(100, source.Examples);
        Assert.Equal("Title", Assert.Single(source.Batches.SelectMany(static batch => batch.ItemChanges)).Text["title"]);
        Assert.All((int[])[1, 2, 3], id => Assert.Equal(1, _registry.Questions[$"/api/schemas/ids/{id}"]));
    }

    [Fact]
    public async Task Run_IdThatIsNotThereAndOtherBytes_AreDeadLettersWithTheirReason()
    {
        Send(_kafka.Options.InteractionsTopic, Framed(77, Click(1)));
        Send(_kafka.Options.InteractionsTopic, "{}"u8.ToArray());
        Send(_kafka.Options.InteractionsTopic, Framed(1, [0xFF]));
        Send(_kafka.Options.InteractionsTopic, Framed(1, Click(1)));
        RecordingLogger logger = new();
        await using RunningSource source = _kafka.Start(logger: logger);
        await source.ReadAsync(4);
        await source.StopAsync();
        Assert.Equal(1, source.Counts.Trained);
        Assert.Equal(1, source.Source.Rejections(DeadLetterReason.UnknownSchema));
        Assert.Equal(1, source.Source.Rejections(DeadLetterReason.BadWireHeader));
        Assert.Equal(1, source.Source.Rejections(DeadLetterReason.Malformed));
        Assert.Contains(
            logger.Lines,
            static line => line.EndsWith("(UnknownSchema); the last at [0]@0: the registry has no schema 77", StringComparison.Ordinal)
        );
        Assert.Contains(
            logger.Lines,
            static line =>
                line.EndsWith(
                    "the value begins with \"{}\"; allowed: byte 0 and the id of a schema, because STREAMING__Kafka__InteractionsFormat "
                        + "is Registry",
                    StringComparison.Ordinal
                )
        );
        Assert.Contains(
            logger.Lines,
            static line => line.EndsWith("the value was not written by schema 1 (Avro), which it names: 0xFF", StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task Run_RegistryDown_WaitsSaysSoAndUsesWhatIsCachedMeanwhile()
    {
        int port = _registry.Port;
        Send(_kafka.Options.InteractionsTopic, Framed(1, Click(0)));
        await using RunningSource source = _kafka.Start();
        await source.ReadAsync(1);
        await _registry.DisposeAsync();

        // What is known needs no registry.
        Send(_kafka.Options.InteractionsTopic, Framed(1, Click(1)));
        await source.ReadAsync(2);
        Assert.Empty(source.Source.Status.Problem);

        for (int i = 2; i < 30; i++)
        {
            Send(_kafka.Options.InteractionsTopic, i % 2 == 0 ? Framed(2, [0], Click(i)) : Framed(1, Click(i)));
        }

        string expected = $"schema registry: schema 2 cannot be fetched, and its records wait: {_registry.Url}: Connection refused";
        await KafkaHarness.WaitAsync(
            () => source.Source.Status.Problem.StartsWith(expected, StringComparison.Ordinal),
            "the registry is missed"
        );
        Assert.Contains(
            source.Source.Status.Problems,
            static problem => problem.Kind == Streaming.Transport.Kafka.Health.KafkaProblem.Registry
        );
        _registry = await StubRegistry.StartAsync(port);
        _registry.Answers["/api/schemas/ids/2"] = RegistryClientTests.Answer(New);
        await source.ReadAsync(30);
        await KafkaHarness.WaitAsync(() => source.Source.Status.Problem.Length == 0, "all is well again");
        await source.StopAsync();
        Assert.Equal(0, source.Counts.DeadLettered);
        KafkaHarness.AssertEachOnce(30, source.Examples);
    }

    [Fact]
    public async Task Run_StopWhileTheRegistryIsDown_EndsAndKeepsThePosition()
    {
        await _registry.DisposeAsync();
        Send(_kafka.Options.InteractionsTopic, Framed(1, Click(0)));
        await using RunningSource source = _kafka.Start();
        await KafkaHarness.WaitAsync(
            () => source.Source.Status.Problem.Contains("schema 1 cannot be fetched", StringComparison.Ordinal),
            "the registry is missed"
        );
        await source.StopAsync().WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        Assert.Equal(0, source.Counts.Read);
        Assert.DoesNotContain(
            source.Batches[^1].Positions,
            position => position.Topic == _kafka.Options.InteractionsTopic && position.NextOffset > 0
        );
    }

    [Fact]
    public void Validate_RegistrySettings_AreChecked()
    {
        var options = new KafkaOptions { InteractionsFormat = RecordFormat.Registry, ItemsFormat = RecordFormat.Registry };
        options = options with { Registry = new RegistryOptions { Password = "secret-1" } };
        OptionsException error = Assert.Throws<OptionsException>(options.Validate);
        Assert.Contains(
            "Registry.Url is empty; allowed: the registry's address, because a format is Registry.",
            error.Message,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "ItemsColumns is empty; allowed: a mapping such as item=sku,title=name, because the format is Registry.",
            error.Message,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "Registry.Username is empty; allowed: a user, because there is a password.",
            error.Message,
            StringComparison.Ordinal
        );
        options = options with
        {
            Registry = options.Registry with { Url = "https://user:secret-2@registry:8081,registry", SslCaLocation = "/nowhere.pem" },
        };
        error = Assert.Throws<OptionsException>(options.Validate);
        Assert.Contains("Registry.Url is '***@registry:8081'", error.Message, StringComparison.Ordinal);
        Assert.Contains("Registry.Url is 'registry'", error.Message, StringComparison.Ordinal);
        Assert.Contains("Registry.SslCaLocation is '/nowhere.pem'; allowed: a file that exists.", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", error.Message, StringComparison.Ordinal);
        Assert.Throws<KafkaSourceException>(() => new EventProducer(_kafka.Options));
    }

    private static byte[] Click(int number) => [.. Long(number % 97), .. Text($"item-{number}"), .. Long(1_700_000_000_000 + number)];

    private static byte[] Framed(int id, params byte[][] parts) => [0, 0, 0, 0, (byte)id, .. parts.SelectMany(static part => part)];

    private static byte[] Text(string text) => [.. Long(text.Length), .. Encoding.UTF8.GetBytes(text)];

    private static byte[] Long(long number)
    {
        List<byte> bytes = [];
        for (ulong raw = (ulong)((number << 1) ^ (number >> 63)); ; raw >>= 7)
        {
            bytes.Add((byte)(raw < 0x80 ? raw : (raw & 0x7F) | 0x80));
            if (raw < 0x80)
            {
                return [.. bytes];
            }
        }
    }

    private void Send(string topic, byte[] value)
    {
        using IProducer<Null, byte[]> producer = new ProducerBuilder<Null, byte[]>(
            new ProducerConfig { BootstrapServers = _kafka.Options.BootstrapServers }
        ).Build();
        producer.Produce(topic, new Message<Null, byte[]> { Value = value });
        producer.Flush(TestContext.Current.CancellationToken);
    }
}
