using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Streaming.Formats.Catalogues;

namespace Streaming.Encoders.Catalogues;

/// <summary>A line of an encoded catalogue: <c>schemas/item.schema.json</c>, preceded by the hash of what it was made of.</summary>
internal static class EncodedLine
{
    // Titles stay readable; ids and texts are data of the file, not of a page.
    private static readonly JsonWriterOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The hash of everything that a line is made of.</summary>
    /// <param name="encoders">What the encoders are, by their fingerprints and fields.</param>
    /// <param name="item">The catalogue record.</param>
    /// <param name="picture">The file of its picture; null: none.</param>
    public static string SourceOf(string encoders, CatalogueItem item, byte[]? picture)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Add(hash, encoders);
        foreach ((string name, string text) in item.Text.OrderBy(static field => field.Key, StringComparer.Ordinal))
        {
            Add(hash, name);
            Add(hash, text);
        }

        foreach ((string name, float[] values) in item.Features.OrderBy(static group => group.Key, StringComparer.Ordinal))
        {
            Add(hash, name);
            Add(hash, System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(values));
        }

        Add(hash, item.Attributes ?? string.Empty);
        Add(hash, picture ?? []);
        return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 16));
    }

    /// <summary>Writes a line.</summary>
    /// <param name="item">The catalogue record.</param>
    /// <param name="source">Its hash.</param>
    /// <param name="features">The feature groups that were encoded.</param>
    /// <param name="buffer">Receives the line, without its end.</param>
    public static void Write(
        CatalogueItem item,
        string source,
        IReadOnlyDictionary<string, float[]> features,
        ArrayBufferWriter<byte> buffer
    )
    {
        using var json = new Utf8JsonWriter(buffer, Json);
        json.WriteStartObject();
        json.WriteString("item_id"u8, item.Id);
        json.WriteString("source"u8, source);
        json.WriteStartObject("text"u8);
        foreach ((string name, string text) in item.Text)
        {
            json.WriteString(name, text);
        }

        json.WriteEndObject();
        json.WriteStartObject("features"u8);
        foreach ((string name, float[] values) in item.Features.Where(group => !features.ContainsKey(group.Key)).Concat(features))
        {
            WriteGroup(json, name, values);
        }

        json.WriteEndObject();
        if (item.Attributes is { } attributes)
        {
            json.WritePropertyName("attributes"u8);
            json.WriteRawValue(attributes);
        }

        json.WriteEndObject();
    }

    /// <summary>Five digits of each number: encoders are not more exact than that, and a catalogue takes half the space.</summary>
    private static void WriteGroup(Utf8JsonWriter json, string name, float[] values)
    {
        Span<byte> text = stackalloc byte[32];
        json.WriteStartArray(name);
        foreach (float value in values)
        {
            value.TryFormat(text, out int length, "G5", CultureInfo.InvariantCulture);
            json.WriteRawValue(text[..length], skipInputValidation: true);
        }

        json.WriteEndArray();
    }

    private static void Add(IncrementalHash hash, string text) => Add(hash, Encoding.UTF8.GetBytes(text));

    // Each part with its length: parts cannot run into each other.
    private static void Add(IncrementalHash hash, ReadOnlySpan<byte> part)
    {
        hash.AppendData(BitConverter.GetBytes(part.Length));
        hash.AppendData(part);
    }
}
