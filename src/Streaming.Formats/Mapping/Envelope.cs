using Streaming.Formats.Records;

namespace Streaming.Formats.Mapping;

/// <summary>Unwraps the envelopes that pipelines put around a record.</summary>
internal static class Envelope
{
    // Connect's around Debezium's is two, as is an Elasticsearch response around its documents.
    private const int MostLayers = 4;

    /// <summary>The record inside Kafka Connect's {schema, payload}, Debezium's {before, after, op}, CloudEvents' {specversion, data},
    /// or Elasticsearch's hits.hits and _source; the record itself if it has no envelope.</summary>
    /// <param name="record">The record.</param>
    /// <param name="isDelete">Whether it reports a deleted row.</param>
    public static RecordValue Unwrap(RecordValue record, out bool isDelete)
    {
        isDelete = false;
        for (int layer = 0; layer < MostLayers && record.Kind == ValueKind.Fields; layer++)
        {
            RecordValue inner = Inner(record, out isDelete);
            if (isDelete || inner.Kind == ValueKind.Missing)
            {
                break;
            }

            record = inner;
        }

        isDelete |= IsMarkedDeleted(record);
        return record;
    }

    private static RecordValue Inner(RecordValue record, out bool isDelete)
    {
        isDelete = false;
        RecordValue payload = record.Find("payload"u8);
        if (payload.Kind != ValueKind.Missing && record.Find("schema"u8).Kind != ValueKind.Missing)
        {
            isDelete = payload.Kind == ValueKind.Null;
            return payload;
        }

        if (IsChange(record))
        {
            RecordValue after = record.Find("after"u8);
            isDelete = after.IsNothing;
            return after;
        }

        RecordValue data = record.Find("data"u8);
        if (data.Kind == ValueKind.Fields && record.Find("specversion"u8).Kind == ValueKind.Text)
        {
            return data;
        }

        RecordValue source = record.Find("_source"u8);
        return source.Kind == ValueKind.Fields ? source : Hits(record);
    }

    /// <summary>Whether a record is a Debezium change event.</summary>
    public static bool IsChange(RecordValue record) =>
        record.Find("op"u8).Kind == ValueKind.Text
        && (record.Find("after"u8).Kind != ValueKind.Missing || record.Find("before"u8).Kind != ValueKind.Missing);

    // Debezium's ExtractNewRecordState with deletes as rows keeps the deleted row's values.
    private static bool IsMarkedDeleted(RecordValue record) => record.Find("__deleted"u8).Text.SequenceEqual("true"u8);

    private static RecordValue Hits(RecordValue record)
    {
        RecordValue hits = record.Find("hits"u8).Find("hits"u8);
        return hits.Kind == ValueKind.List ? hits : default;
    }
}
