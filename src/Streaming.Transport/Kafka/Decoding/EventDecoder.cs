using Streaming.Core.Events;
using Streaming.Transport.Kafka.Clients;

namespace Streaming.Transport.Kafka.Decoding;

/// <summary>Decodes the values of the interactions topic. Not for several threads at once.</summary>
public sealed class EventDecoder
{
    private readonly RecordFormat _format;
    private readonly int _maxBytes;
    private readonly JsonEventDecoder _json = new();

    /// <summary>Creates a decoder.</summary>
    /// <param name="format">How the values are written.</param>
    /// <param name="maxBytes">Longest value that is looked at, 1 and up.</param>
    public EventDecoder(RecordFormat format, int maxBytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxBytes, 1);
        _format = format;
        _maxBytes = maxBytes;
    }

    /// <summary>Decodes a value. Any bytes may come: the answer is an event or a reason, never an exception.</summary>
    /// <param name="value">The record's value, with or without Confluent's header.</param>
    /// <param name="decoded">The event: views into <paramref name="value"/> and into this decoder, valid until the next call.
    /// Its contents are not checked: see <see cref="EventRules"/>.</param>
    public DeadLetterReason Decode(ReadOnlySpan<byte> value, out InteractionEvent decoded)
    {
        decoded = default;
        if (value.IsEmpty)
        {
            return DeadLetterReason.Empty;
        }

        if (value.Length > _maxBytes)
        {
            return DeadLetterReason.TooLarge;
        }

        if (!ConfluentWireHeader.TrySkip(ref value, _format))
        {
            return DeadLetterReason.BadWireHeader;
        }

        return _format == RecordFormat.Json ? _json.Decode(value, out decoded) : ProtobufEventDecoder.Decode(value, out decoded);
    }

    /// <summary>Says what is wrong with a value: the field, its value shortened, what is allowed. It reads the value again.</summary>
    /// <param name="value">The record's value.</param>
    /// <param name="reason">What <see cref="Decode"/>, or after it <see cref="EventRules"/>, gave.</param>
    /// <returns>Null: nothing that is to be seen from the value alone; the rules say it.</returns>
    public string? Explain(ReadOnlySpan<byte> value, DeadLetterReason reason) =>
        ValueFault.Describe(value, _format, "STREAMING__Kafka__InteractionsFormat", _maxBytes, reason)
        ?? (_format == RecordFormat.Json ? EventFault.Describe(value, reason) : null);
}
