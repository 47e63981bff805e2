using System.Globalization;
using System.Text.Json;
using Streaming.Formats.Schemas;

namespace Streaming.Transport.Kafka.Registry;

/// <summary>Fetches schemas by id, with what they refer to.</summary>
internal sealed class RegistryClient(RegistryHttp http) : IDisposable
{
    private const int MostReferences = 200;

    /// <summary>Fetches a schema.</summary>
    /// <returns>Null: the registry has none of this id.</returns>
    /// <exception cref="RegistryUnavailableException">The registry did not answer.</exception>
    /// <exception cref="FormatException">The schema, or one that it refers to, cannot be read; says why.</exception>
    public async Task<WriterSchema?> FindAsync(int id, CancellationToken cancellationToken)
    {
        if (
            await http.AskAsync(string.Create(CultureInfo.InvariantCulture, $"schemas/ids/{id}"), cancellationToken).ConfigureAwait(false)
            is not { } answer
        )
        {
            return null;
        }

        string text = SchemaOf(answer);
        SchemaKind kind = Text(answer, "schemaType") switch
        {
            null or "" or "AVRO" => SchemaKind.Avro,
            "PROTOBUF" => SchemaKind.Protobuf,
            "JSON" => SchemaKind.Json,
            var other => throw new FormatException($"it is of type {other}; allowed: AVRO, PROTOBUF, JSON"),
        };
        List<SchemaText> references = [];
        if (kind != SchemaKind.Json)
        {
            await CollectAsync(answer, references, [], cancellationToken).ConfigureAwait(false);
        }

        return WriterSchema.Parse(kind, text, references);
    }

    public void Dispose() => http.Dispose();

    // Each after those that it refers to itself.
    private async Task CollectAsync(
        JsonElement schema,
        List<SchemaText> references,
        HashSet<string> seen,
        CancellationToken cancellationToken
    )
    {
        if (!schema.TryGetProperty("references", out JsonElement list) || list.ValueKind != JsonValueKind.Array)
        {
            return;
        }

        foreach (JsonElement reference in list.EnumerateArray())
        {
            string name = Text(reference, "name") ?? throw new FormatException("it has a reference without a name");
            string subject = Text(reference, "subject") ?? throw new FormatException($"its reference '{name}' has no subject");
            int version =
                reference.TryGetProperty("version", out JsonElement number) && number.TryGetInt32(out int read)
                    ? read
                    : throw new FormatException($"its reference '{name}' has no version");
            string path = string.Create(CultureInfo.InvariantCulture, $"subjects/{Uri.EscapeDataString(subject)}/versions/{version}");
            if (!seen.Add(name))
            {
                continue;
            }

            JsonElement found =
                seen.Count <= MostReferences
                    ? await http.AskAsync(path, cancellationToken).ConfigureAwait(false)
                        ?? throw new FormatException(
                            $"its reference '{name}' is version {version} of subject '{subject}', which the registry does not have"
                        )
                    : throw new FormatException($"it has more than {MostReferences} references");
            string foundText = SchemaOf(found);
            await CollectAsync(found, references, seen, cancellationToken).ConfigureAwait(false);
            references.Add(new SchemaText(name, foundText));
        }
    }

    private static string SchemaOf(JsonElement answer) =>
        Text(answer, "schema") ?? throw new FormatException("the registry's answer holds no schema");

    private static string? Text(JsonElement answer, string name) =>
        answer.ValueKind == JsonValueKind.Object
        && answer.TryGetProperty(name, out JsonElement value)
        && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;
}
