using System.Runtime.CompilerServices;
using System.Text;
using Confluent.Kafka;
using Streaming.Kafka.Tests.Bench;
using Streaming.Tests.Kafka;
using Xunit;

namespace Streaming.Kafka.Tests;

/// <summary>Topics whose values name schemas of a real registry.</summary>
public sealed class RegistryTests(KafkaServers servers)
{
    private const string OldClick =
        """{"type":"record","name":"Click","namespace":"shop","fields":[{"name":"user_id","type":"long"},{"name":"item_id","type":"string"},{"name":"kind","type":"string"},{"name":"at","type":{"type":"long","logicalType":"timestamp-millis"}}]}""";
    private const string NewClick =
        """{"type":"record","name":"Click","namespace":"shop","fields":[{"name":"campaign","type":["null","string"],"default":null},{"name":"user_id","type":"long"},{"name":"item_id","type":"string"},{"name":"kind","type":"string"},{"name":"at","type":{"type":"long","logicalType":"timestamp-millis"}},{"name":"price","type":"double","default":0.0}]}""";
    private const string AvroActor = """{"type":"record","name":"Actor","namespace":"shop","fields":[{"name":"id","type":"long"}]}""";
    private const string AvroVisit =
        """{"type":"record","name":"Visit","namespace":"shop","fields":[{"name":"actor","type":"shop.Actor"},{"name":"item_id","type":"string"},{"name":"kind","type":"string"},{"name":"at","type":"long"}]}""";
    private const string ProtobufActor = "syntax = \"proto3\"; package shop; message Actor { string id = 1; }";
    private const string ProtobufClick = """
        syntax = "proto3";
        package shop;
        import "actor.proto";
        message Other { string x = 1; }
        message Click { Actor actor = 1; Goods goods = 2; Kind kind = 3; int64 at_ms = 4; message Goods { string sku = 1; } enum Kind { none = 0; click = 1; } }
        """;

    [Fact]
    public async Task Avro_SchemaThatEvolves_IsReadByNames()
    {
        await using var registry = new RegistryServer();
        await registry.StartAsync();
        int first = await registry.RegisterAsync("events-value", "AVRO", OldClick);
        int second = await registry.RegisterAsync("events-value", "AVRO", NewClick);
        int item = await registry.RegisterAsync(
            "items-value",
            "AVRO",
            """{"type":"record","name":"Item","fields":[{"name":"sku","type":"string"},{"name":"name","type":"string"}]}"""
        );
        await using KafkaBench bench = await BenchAsync(registry, "user=user_id,item=item_id,type=kind,time=at");
        await bench.CreateItemsAsync();
        bench.Settings["STREAMING__Kafka__ItemsFormat"] = "Registry";
        bench.Settings["STREAMING__Kafka__ItemsColumns"] = "item=sku,title=name";
        for (int i = 0; i < 20; i++)
        {
            await SendAsync(bench, bench.Items, Framed(item, Avro($"item{i}"), Avro($"Title {i}")), key: $"item{i}");
        }

        for (int i = 0; i < 300; i++)
        {
            byte[] click = [.. Avro(i % 20), .. Avro($"item{i % 20}"), .. Avro("click"), .. Avro(Time(i))];
            await SendAsync(bench, bench.Events, i < 150 ? Framed(first, click) : Framed(second, [0], click, BitConverter.GetBytes(1.5)));
        }

        await using WorkerProcess worker = bench.StartWorker();
        await FinishAsync(worker, trained: 300);
        Assert.Contains("20 changes, 0 unusable records", worker.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Avro_References_AreFetchedToo()
    {
        await using var registry = new RegistryServer();
        await registry.StartAsync();
        await registry.RegisterAsync("actor", "AVRO", AvroActor);
        int visit = await registry.RegisterAsync("events-value", "AVRO", AvroVisit, ("shop.Actor", "actor"));
        await using KafkaBench bench = await BenchAsync(registry, "user=actor.id,item=item_id,type=kind,time=at");
        for (int i = 0; i < 100; i++)
        {
            await SendAsync(bench, bench.Events, Framed(visit, Avro(i % 20), Avro($"item{i % 20}"), Avro("click"), Avro(Time(i))));
        }

        await using WorkerProcess worker = bench.StartWorker();
        await FinishAsync(worker, trained: 100);
    }

    [Fact]
    public async Task Protobuf_SecondMessageWithReferencesAndNestedTypes_IsReadByItsIndexes()
    {
        await using var registry = new RegistryServer();
        await registry.StartAsync();
        await registry.RegisterAsync("actor.proto", "PROTOBUF", ProtobufActor);
        int click = await registry.RegisterAsync("events-value", "PROTOBUF", ProtobufClick, ("actor.proto", "actor.proto"));
        await using KafkaBench bench = await BenchAsync(registry, "user=actor.id,item=goods.sku,type=kind,time=at_ms");
        for (int i = 0; i < 100; i++)
        {
            byte[] actor = Bytes(1, Encoding.UTF8.GetBytes($"user{i % 20}"));
            byte[] goods = Bytes(1, Encoding.UTF8.GetBytes($"item{i % 20}"));
            await SendAsync(
                bench,
                bench.Events,
                Framed(click, [2, 2], Bytes(1, actor), Bytes(2, goods), [3 << 3, 1], [4 << 3], Varint((ulong)Time(i)))
            );
        }

        await using WorkerProcess worker = bench.StartWorker();
        await FinishAsync(worker, trained: 100);
    }

    [Fact]
    public async Task JsonSchema_AndAnIdThatDoesNotExist_AreEventsAndADeadLetter()
    {
        await using var registry = new RegistryServer();
        await registry.StartAsync();
        int click = await registry.RegisterAsync(
            "events-value",
            "JSON",
            """{"title":"Click","type":"object","properties":{"userId":{"type":"string"},"itemId":{"type":"string"}}}"""
        );
        await using KafkaBench bench = await BenchAsync(registry, "user=userId,item=itemId,type=kind,time=at");
        for (int i = 0; i < 100; i++)
        {
            await SendAsync(
                bench,
                bench.Events,
                Framed(
                    click,
                    Encoding.UTF8.GetBytes($"{{\"userId\":\"u{i % 20}\",\"itemId\":\"item{i % 20}\",\"kind\":\"click\",\"at\":{Time(i)}}}")
                )
            );
        }

        await SendAsync(bench, bench.Events, Framed(click + 1000, "{}"u8.ToArray()));
        await using WorkerProcess worker = bench.StartWorker();
        await worker.UntilReadAsync(101);
        Assert.Equal(1, await worker.MetricAsync("streaming_dead_letters_total", "reason=\"UnknownSchema\""));
        await FinishAsync(worker, trained: 100);
        Assert.Contains($"the registry has no schema {click + 1000}", worker.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Frozen_RecordsWaitHealthNamesTheAddressAndReadingContinuesWhenItIsBack()
    {
        await using var registry = new RegistryServer();
        await registry.StartAsync();
        int first = await registry.RegisterAsync("events-value", "AVRO", OldClick);
        int second = await registry.RegisterAsync("events-value", "AVRO", NewClick);
        await using KafkaBench bench = await BenchAsync(registry, "user=user_id,item=item_id,type=kind,time=at");
        bench.Settings["STREAMING__Kafka__Registry__Timeout"] = "1s";
        await SendAsync(bench, bench.Events, Framed(first, Avro(1), Avro("item1"), Avro("click"), Avro(Time(0))));
        await using WorkerProcess worker = bench.StartWorker();
        await worker.UntilReadAsync(1);
        registry.Signal(UnixSignal.Stop);

        // What is known needs no registry.
        await SendAsync(bench, bench.Events, Framed(first, Avro(2), Avro("item2"), Avro("click"), Avro(Time(1))));
        await worker.UntilReadAsync(2);
        await SendAsync(
            bench,
            bench.Events,
            Framed(second, [0], Avro(3), Avro("item3"), Avro("click"), Avro(Time(2)), BitConverter.GetBytes(1.5))
        );
        await worker.UntilUnwellAsync("schema registry", registry.Url, "no answer in time");

        registry.Signal(UnixSignal.Continue);
        await worker.UntilReadAsync(3);
        await worker.UntilWellAsync();
        Assert.Equal(3, await worker.MetricAsync("streaming_events_total", "outcome=\"trained\""));
    }

    private async Task<KafkaBench> BenchAsync(RegistryServer registry, string columns)
    {
        KafkaBench bench = await KafkaBench.StartAsync(servers);
        bench.Settings["STREAMING__Kafka__InteractionsFormat"] = "Registry";
        bench.Settings["STREAMING__Kafka__InteractionsColumns"] = columns;
        bench.Settings["STREAMING__Kafka__Registry__Url"] = registry.Url;
        return bench;
    }

    private static async Task FinishAsync(WorkerProcess worker, long trained)
    {
        double seen = double.NaN;
        await worker.UntilAsync(
            async running => (seen = await running.MetricAsync("streaming_events_total", "outcome=\"trained\"")) >= trained,
            () => $"{trained} events are trained on; {seen} are"
        );
        Assert.Equal(trained, seen);
        Assert.Equal(0, await worker.TerminateAsync());
    }

    private static long Time(int number) => 1_700_000_000_000 + number;

    private static byte[] Framed(int id, params byte[][] parts) =>
        [0, .. BitConverter.GetBytes(System.Net.IPAddress.HostToNetworkOrder(id)), .. parts.SelectMany(static part => part)];

    private static byte[] Avro(string text) => [.. Avro(text.Length), .. Encoding.UTF8.GetBytes(text)];

    private static byte[] Avro(long number) => Varint((ulong)((number << 1) ^ (number >> 63)));

    private static byte[] Bytes(int field, byte[] bytes) => [(byte)((field << 3) | 2), (byte)bytes.Length, .. bytes];

    private static byte[] Varint(ulong number)
    {
        List<byte> bytes = [];
        for (; number >= 0x80; number >>= 7)
        {
            bytes.Add((byte)(number | 0x80));
        }

        return [.. bytes, (byte)number];
    }

    private static readonly ConditionalWeakTable<KafkaBench, IProducer<byte[]?, byte[]>> Producers = [];

    private static async Task SendAsync(KafkaBench bench, string topic, byte[] value, string? key = null)
    {
        IProducer<byte[]?, byte[]> producer = Producers.GetValue(
            bench,
            static bench => new ProducerBuilder<byte[]?, byte[]>(bench.Cluster.Client).SetLogHandler(static (_, _) => { }).Build()
        );
        await producer.ProduceAsync(
            topic,
            new Message<byte[]?, byte[]> { Key = key is null ? null : Encoding.UTF8.GetBytes(key), Value = value },
            TestContext.Current.CancellationToken
        );
    }
}
