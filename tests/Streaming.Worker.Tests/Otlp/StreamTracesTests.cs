using System.Text;
using Confluent.Kafka;
using Streaming.Lab.Embedded;
using Streaming.Tests;
using Streaming.Transport.Kafka;
using Streaming.Worker.Commands;
using Xunit;

namespace Streaming.Worker.Tests.Otlp;

/// <summary>What a collector receives of records on their way through `streaming run` to a real Redis.</summary>
public sealed class StreamTracesTests
{
    private const string Sampled = "0af7651916cd43dd8448eb211c80319c";
    private const string NotSampled = "4bf92f3577b34da6a3ce929d0e0e4736";

    [Fact]
    public async Task Record_ThatItsProducerSampled_IsFollowedToRedis()
    {
        using var broker = new EmbeddedBroker();
        broker.CreateTopic("interactions", 1);
        broker.CreateTopic("items", 1);
        broker.CreateTopic("interactions.dead-letters", 1);
        await using LocalRedisServer redis = await LocalRedisServer.StartAsync(cancellationToken: TestContext.Current.CancellationToken);
        await using Collector collector = await Collector.StartAsync();
        Dictionary<string, string> settings = new()
        {
            ["STREAMING__Kafka__BootstrapServers"] = broker.BootstrapServers,
            ["STREAMING__Kafka__Assignment"] = "Static",
            ["STREAMING__Kafka__InteractionsFormat"] = "Json",
            ["STREAMING__Redis__Configuration"] = redis.Configuration,
            ["STREAMING__Http__Port"] = "0",
            ["STREAMING__Checkpoint__Folder"] = string.Empty,
            ["STREAMING__Model__Widths"] = "8,16",
            ["STREAMING__Model__ItemCapacity"] = "1000",
            ["STREAMING__Training__Threads"] = "1",
            ["STREAMING__Telemetry__OtlpEndpoint"] = collector.Address.ToString(),
            ["STREAMING__Telemetry__TraceShare"] = "0.000000001",
            ["OTEL_BSP_SCHEDULE_DELAY"] = "200",
        };
        using var worker = StreamingProcess.Start(["run"], settings);
        using var producer = new EventProducer(WorkerSettings.Options(settings).Kafka);
        Send(producer, "anna", "lamp", null);
        Send(producer, "anna", "chair", $"00-{NotSampled}-00f067aa0ba902b7-00");
        Send(producer, "bob", "chair", $"00-{Sampled}-b7ad6b7169203331-01");
        producer.Flush(TestContext.Current.CancellationToken);

        // The record's span, the batch's and the write's; links are to other traces.
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(40));
        while (collector.Count("trace", Bytes(Sampled)) < 3)
        {
            Assert.False(limit.IsCancellationRequested, $"{collector.Texts("trace")}\n{worker.Output}");
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }

        Assert.All(
            (string[])["process record", "train batch", "publish to Redis"],
            name => Assert.True(collector.Has("trace", name), name)
        );
        Assert.False(collector.Has("trace", Bytes(NotSampled)));
        Assert.False(collector.Has("trace", "anna") || collector.Has("trace", "chair"), "a trace names user or item");
        worker.Terminate();
        Assert.True(await worker.WaitForExitAsync() == 0, worker.Output);
    }

    private static void Send(EventProducer producer, string user, string item, string? traceParent)
    {
        Headers? headers = traceParent is null ? null : [new Header("traceparent", Encoding.ASCII.GetBytes(traceParent))];
        long now = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
        string json = $$"""{"user_id":"{{user}}","item_id":"{{item}}","type":"click","event_time_ms":{{now}}}""";
        producer.SendRaw("interactions", Encoding.UTF8.GetBytes(user), Encoding.UTF8.GetBytes(json), null, headers: headers);
    }

    /// <summary>A trace's id as the collector keeps bytes.</summary>
    private static string Bytes(string traceId) => Encoding.Latin1.GetString(Convert.FromHexString(traceId));
}
