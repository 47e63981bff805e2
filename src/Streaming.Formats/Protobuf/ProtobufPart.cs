namespace Streaming.Formats.Protobuf;

/// <summary>A field as it came on the wire.</summary>
/// <param name="Field">Its place among the message's fields.</param>
/// <param name="Order">Its place among what came: the last of several counts.</param>
/// <param name="WireType">Its wire type.</param>
/// <param name="Raw">The value of a number.</param>
/// <param name="Start">Where the bytes of others begin in the record.</param>
/// <param name="Length">How many these are.</param>
internal readonly record struct ProtobufPart(int Field, int Order, int WireType, ulong Raw, int Start, int Length)
    : IComparable<ProtobufPart>
{
    /// <inheritdoc/>
    public int CompareTo(ProtobufPart other) => Field != other.Field ? Field.CompareTo(other.Field) : Order.CompareTo(other.Order);
}
