using Streaming.Formats.Records;

namespace Streaming.Formats.Mapping;

/// <summary>Reads ids the same way from events and from catalogue records, so that they match.</summary>
internal static class IdText
{
    /// <summary>An id's bytes; whole-number columns with gaps are often written as floats, so 17850.0 is 17850.</summary>
    public static ReadOnlySpan<byte> Of(RecordValue value) => Of(value.Text);

    /// <summary>The same, of a value as it is written.</summary>
    public static ReadOnlySpan<byte> Of(ReadOnlySpan<byte> text) =>
        text.EndsWith(".0"u8) && text.Length > 2 && !text[..^2].ContainsAnyExceptInRange((byte)'0', (byte)'9') ? text[..^2] : text;
}
