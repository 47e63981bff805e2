using System.Text.Json;
using Streaming.Formats.Inputs;

namespace Streaming.Worker.Settings;

/// <summary>Reads files of settings: a JSON object, or lines NAME=value as env files have them.</summary>
/// <remarks>
/// The prefix may be left out: a file of settings has no variables of other programs. In JSON, sections are objects
/// ({"Kafka": {"GroupId": "a"}}) or part of flat names ({"Kafka__GroupId": "a"}), and lists and tables may be arrays and objects.
/// </remarks>
public static class SettingsFile
{
    private static readonly JsonDocumentOptions Json = new()
    {
        CommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
        MaxDepth = 16,
    };

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="catalogue">Tells objects that are sections from objects that are values.</param>
    /// <exception cref="InputFileException">The file is not there or cannot be read.</exception>
    public static SettingsLayer Read(string path, SettingsCatalogue catalogue)
    {
        ArgumentNullException.ThrowIfNull(catalogue);
        try
        {
            return Parse(File.ReadAllText(path), path, catalogue);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new InputFileException(
                $"--settings is '{path}', which cannot be read ({exception.Message}); allowed: a file of settings, JSON or lines "
                    + "NAME=value.",
                exception
            );
        }
    }

    /// <summary>A line NAME=value as <see cref="Read"/> takes it.</summary>
    public static string Line(string name, string value)
    {
        ArgumentNullException.ThrowIfNull(value);
        bool plain =
            value.Trim().Length == value.Length
            && !value.StartsWith('"')
            && !value.StartsWith('\'')
            && !value.StartsWith('#')
            && !value.Contains(" #", StringComparison.Ordinal);
        char quote = value.Contains('"', StringComparison.Ordinal) ? '\'' : '"';
        return plain ? $"{name}={value}" : $"{name}={quote}{value}{quote}";
    }

    /// <summary>Reads the text of a file.</summary>
    internal static SettingsLayer Parse(string text, string path, SettingsCatalogue catalogue)
    {
        string file = Path.GetFileName(path);
        return text.AsSpan().TrimStart() is ['{', ..]
            ? ParseJson(text, file, new SettingNames(catalogue.Sections))
            : ParseLines(text, file);
    }

    private static SettingsLayer ParseLines(string text, string file)
    {
        var inputs = new List<SettingInput>();
        var faults = new List<string>();
        foreach ((int index, string line) in text.Split('\n').Index())
        {
            string content = line.Trim();
            if (content.Length == 0 || content[0] == '#')
            {
                continue;
            }

            int equals = content.IndexOf('=', StringComparison.Ordinal);
            if (equals > 0)
            {
                inputs.Add(new SettingInput(content[..equals].Trim(), Unquote(content[(equals + 1)..].Trim()), $"{file}:{index + 1}"));
            }
            else
            {
                // The line is not repeated: it may be the rest of a secret.
                faults.Add($"{file}:{index + 1} has no NAME=value; allowed: NAME=value, or a comment that begins with #.");
            }
        }

        return new SettingsLayer(SettingOrigin.File, inputs) { Faults = faults };
    }

    // As Compose reads env files: quotes around a value are dropped, and a # after a blank begins a comment.
    private static string Unquote(string value)
    {
        if (
            value is ['"' or '\'', ..]
            && value.IndexOf(value[0], 1) is var end and > 0
            && value.AsSpan(end + 1).TrimStart() is [] or ['#', ..]
        )
        {
            return value[1..value.IndexOf(value[0], 1)];
        }

        int comment = value.StartsWith('#') ? 0 : value.IndexOf(" #", StringComparison.Ordinal);
        return comment < 0 ? value : value[..comment].TrimEnd();
    }

    private static SettingsLayer ParseJson(string text, string file, SettingNames names)
    {
        var inputs = new List<SettingInput>();
        try
        {
            using var document = JsonDocument.Parse(text, Json);
            Flatten(string.Empty, document.RootElement, file, names, inputs);
            return new SettingsLayer(SettingOrigin.File, inputs);
        }
        catch (JsonException exception)
        {
            return new SettingsLayer(SettingOrigin.File, [])
            {
                Faults =
                [
                    $"{file} is not JSON: line {exception.LineNumber + 1}, byte {exception.BytePositionInLine + 1}; allowed: one JSON "
                        + "object, or lines NAME=value.",
                ],
            };
        }
    }

    private static void Flatten(string name, JsonElement value, string file, SettingNames names, List<SettingInput> inputs)
    {
        if (value.ValueKind != JsonValueKind.Object || names.Find(name, out _) is not null)
        {
            inputs.Add(new SettingInput(name, TextOf(value), file));
            return;
        }

        foreach (JsonProperty property in value.EnumerateObject())
        {
            Flatten(name.Length == 0 ? property.Name : $"{name}__{property.Name}", property.Value, file, names, inputs);
        }
    }

    private static string TextOf(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.String => value.GetString()!,
            JsonValueKind.Null => string.Empty,
            JsonValueKind.Array => string.Join(',', value.EnumerateArray().Select(TextOf)),
            JsonValueKind.Object => string.Join(
                ',',
                value.EnumerateObject().Select(static property => $"{property.Name}={TextOf(property.Value)}")
            ),
            _ => value.GetRawText(),
        };
}
