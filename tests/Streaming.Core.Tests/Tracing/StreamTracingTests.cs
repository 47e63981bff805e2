using System.Diagnostics;
using Streaming.Core.Refreshes;
using Streaming.Core.Tracing;
using Xunit;

namespace Streaming.Core.Tests.Tracing;

/// <summary>The spans of records, batches and writes, as a listener sees them.</summary>
[Collection(nameof(Alone))]
public sealed class StreamTracingTests : IDisposable
{
    private const string Sampled = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    private readonly List<Activity> _ended = [];
    private readonly ActivityListener _listener;

    public StreamTracingTests()
    {
        _listener = new ActivityListener
        {
            ShouldListenTo = static source => source.Name == StreamTracing.SourceName,

            // As OpenTelemetry's parent-based sampler with a share of 0 of those without a parent.
            Sample = static (ref ActivityCreationOptions<ActivityContext> options) =>
                options.Parent.TraceFlags.HasFlag(ActivityTraceFlags.Recorded) ? ActivitySamplingResult.AllDataAndRecorded
                : options.Parent.TraceId == default ? ActivitySamplingResult.PropagationData
                : ActivitySamplingResult.None,
            ActivityStopped = span => _ended.AddRange(span.Recorded ? [span] : []),
        };
        ActivitySource.AddActivityListener(_listener);
    }

    public void Dispose() => _listener.Dispose();

    [Fact]
    public void Record_ContinuesItsProducersTraceThroughBatchAndWrite()
    {
        using Activity first = StreamTracing.StartRecord(Sampled, "interactions", 3, 77)!;
        using Activity second = StreamTracing.StartRecord(Sampled.Replace("0af7", "1af7"), "interactions", 3, 78)!;
        Activity batch = StreamTracing.StartBatch([new TracedRecord(first, 0), new TracedRecord(second, 1)])!;
        batch.Stop();
        StreamTracing.EndRecord(first, "trained");
        var items = new TracedItems();
        items.Add(1, batch.Context, step: 5);
        items.Add(2, batch.Context, step: 5);
        Activity write = items.StartWrite([Of(9, 5), Of(2, 5)])!;
        write.Stop();

        Assert.Equal("0af7651916cd43dd8448eb211c80319c", first.TraceId.ToHexString());
        Assert.Equal("b7ad6b7169203331", first.ParentSpanId.ToHexString());
        Assert.Equal((first.TraceId, first.SpanId), (batch.TraceId, batch.ParentSpanId));
        Assert.Equal(second.Context, Assert.Single(batch.Links).Context);
        Assert.Equal((first.TraceId, batch.SpanId), (write.TraceId, write.ParentSpanId));
        Assert.Equal(["train batch", "process record", "publish to Redis"], _ended.Select(static span => span.OperationName));
        Assert.Equal(77L, first.GetTagItem("messaging.kafka.offset"));
        Assert.Null(Activity.Current);
    }

    [Theory]
    [InlineData("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00")]
    [InlineData("nonsense")]
    [InlineData(null)]
    public void RecordThatIsNotSampled_HasNoSpan(string? traceParent)
    {
        Assert.Null(StreamTracing.StartRecord(traceParent, "interactions", 0, 0));
        Assert.Null(StreamTracing.StartBatch([]));
        StreamTracing.EndRecord(null, "not trained on");
        Assert.Empty(_ended);
    }

    [Fact]
    public void Write_IsAwaitedUntilAnEmbeddingOfTheStepIsWritten()
    {
        using Activity record = StreamTracing.StartRecord(Sampled, "interactions", 0, 0)!;
        var items = new TracedItems();
        items.Add(1, record.Context, step: 5);
        Assert.Null(items.StartWrite([Of(1, 4), Of(2, 9)])); // encoded before
        Refresh[] batch = [Of(1, 6)];

        items.StartWrite(batch)!.Stop();
        items.Written(batch, failed: batch);
        items.StartWrite(batch)!.Stop(); // again: it failed
        items.Written(batch, failed: []);
        Assert.Null(items.StartWrite(batch));
    }

    [Fact]
    public void Items_AreBounded()
    {
        using Activity record = StreamTracing.StartRecord(Sampled, "interactions", 0, 0)!;
        var items = new TracedItems();
        for (ulong item = 0; item < TracedItems.Most + 10; item++)
        {
            items.Add(item, record.Context, step: 5);
        }

        Assert.NotNull(items.StartWrite([Of(TracedItems.Most - 1, 5)]));
        Assert.Null(items.StartWrite([Of(TracedItems.Most, 5)]));
    }

    private static Refresh Of(ulong item, long step) => new(item, $"i{item}", new float[1], step, 0, 0);

    /// <summary>A listener hears every test of the process.</summary>
    [CollectionDefinition(nameof(Alone), DisableParallelization = true)]
    public sealed class Alone;
}
