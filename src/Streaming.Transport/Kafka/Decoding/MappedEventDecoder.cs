using Streaming.Core.Events;
using Streaming.Formats.Mapping;
using Streaming.Formats.Records;
using Streaming.Transport.Kafka.Registry;

namespace Streaming.Transport.Kafka.Decoding;

/// <summary>
/// Decodes values of the interactions topic by a mapping: of each record any number of events. Not for several threads at once.
/// </summary>
public sealed class MappedEventDecoder
{
    private readonly RecordTree _record = new();
    private readonly EventMapper _mapper;
    private readonly MappedValueReader _values;

    /// <summary>Creates a decoder.</summary>
    /// <param name="map">The mapping; null: by the names that records have.</param>
    /// <param name="times">How times are read.</param>
    /// <param name="maxBytes">Longest value that is looked at, 1 and up.</param>
    public MappedEventDecoder(FieldMap? map, TimeReader times, int maxBytes)
        : this(map, times, maxBytes, schemas: null) { }

    /// <summary>Creates a decoder.</summary>
    /// <param name="map">The mapping; null: by the names that records have.</param>
    /// <param name="times">How times are read.</param>
    /// <param name="maxBytes">Longest value that is looked at, 1 and up.</param>
    /// <param name="schemas">The schemas that values name; null: they are JSON.</param>
    internal MappedEventDecoder(FieldMap? map, TimeReader times, int maxBytes, RegistrySchemas? schemas)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxBytes, 1);
        _mapper = new EventMapper(map, times);
        _values = new MappedValueReader("STREAMING__Kafka__InteractionsFormat", maxBytes, schemas);
    }

    /// <summary>
    /// Gets the number of events of the record decoded last; none, though it was good: it tells of a deleted row, or its list is empty.
    /// </summary>
    public int Count => _mapper.Count;

    /// <summary>An event of the record decoded last: views, valid until the next call.</summary>
    public InteractionEvent this[int index] => _mapper[index];

    /// <summary>Decodes a record. Any bytes may come: the answer is events or a reason, never an exception.</summary>
    /// <param name="value">The record's value, with or without Confluent's header.</param>
    /// <param name="isTombstone">Whether the value is null, as after a deleted row: no event.</param>
    /// <param name="origin">Its key, headers and time.</param>
    public DeadLetterReason Decode(ReadOnlySpan<byte> value, bool isTombstone, RecordOrigin origin)
    {
        _record.Clear();
        DeadLetterReason reason = isTombstone ? DeadLetterReason.None : _values.Read(value, _record);

        // Also after a tombstone: what the mapper holds is then nothing.
        return reason != DeadLetterReason.None || isTombstone ? Forget(reason) : _mapper.Map(_record, origin);
    }

    /// <summary>Says what is wrong with the record decoded last: the field, its value shortened, what is allowed.</summary>
    /// <param name="value">Its value.</param>
    /// <param name="reason">What <see cref="Decode"/> gave.</param>
    public string Explain(ReadOnlySpan<byte> value, DeadLetterReason reason) => _values.Explain(value, reason) ?? _mapper.Explain(reason);

    private DeadLetterReason Forget(DeadLetterReason reason)
    {
        _mapper.Clear();
        return reason;
    }
}
