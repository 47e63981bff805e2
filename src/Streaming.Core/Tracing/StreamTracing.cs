using System.Diagnostics;

namespace Streaming.Core.Tracing;

/// <summary>
/// Traces of records on their way to the store, when someone listens to <see cref="Source"/> (OpenTelemetry): the span of a record, from
/// reading to the end of its training step; in it, that of the batch that it is trained with, with links to the batch's other traced
/// records; and in that, the write that brings its item to the store.
/// </summary>
public static class StreamTracing
{
    /// <summary>Name of the source.</summary>
    public const string SourceName = "Streaming.Stream";

    /// <summary>The most records of one batch that are traced.</summary>
    public const int MostPerBatch = 16;

    /// <summary>The source; without a listener nothing is traced, and a record costs a test of a field.</summary>
    public static readonly ActivitySource Source = new(SourceName);

    /// <summary>Begins the span of a record, when it is sampled: as its producer was, or else by chance.</summary>
    /// <param name="traceParent">W3C's traceparent, as the producer sent it; null or invalid: none.</param>
    /// <param name="topic">The topic.</param>
    /// <param name="partition">The partition.</param>
    /// <param name="offset">The offset.</param>
    /// <returns>The span, which the caller stops; null: the record is not sampled.</returns>
    public static Activity? StartRecord(string? traceParent, string topic, int partition, long offset)
    {
        _ = ActivityContext.TryParse(traceParent, traceState: null, isRemote: true, out ActivityContext parent);
        Activity? span = Source.StartActivity("process record", ActivityKind.Consumer, parent);

        // It goes on with the batch, on another thread, and what this one does next is not part of it.
        Activity.Current = null;
        if (span is { Recorded: false })
        {
            span.Stop(); // OpenTelemetry makes one of a root that is not sampled, too.
            return null;
        }

        return span
            ?.SetTag("messaging.system", "kafka")
            .SetTag("messaging.operation.type", "process")
            .SetTag("messaging.destination.name", topic)
            .SetTag("messaging.destination.partition.id", partition)
            .SetTag("messaging.kafka.offset", offset);
    }

    /// <summary>Ends the span of a record that is not trained on.</summary>
    /// <param name="record">The span; null: none.</param>
    /// <param name="outcome">What became of the record.</param>
    public static void EndRecord(Activity? record, string outcome)
    {
        record?.SetTag("streaming.outcome", outcome).Stop();
        Activity.Current = null;
    }

    /// <summary>Begins the span of a batch in the trace of its first record, with links to the others.</summary>
    /// <param name="records">The spans of its records.</param>
    /// <returns>The span; null: no record is traced.</returns>
    public static Activity? StartBatch(IReadOnlyList<TracedRecord> records) =>
        records.Count == 0
            ? null
            : Source.StartActivity(
                "train batch",
                ActivityKind.Internal,
                records[0].Span.Context,
                links: records.Skip(1).Select(static record => new ActivityLink(record.Span.Context))
            );
}
