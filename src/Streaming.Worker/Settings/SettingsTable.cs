using System.Text;

namespace Streaming.Worker.Settings;

/// <summary>Settings for people: the effective values, and the page of all settings.</summary>
internal static class SettingsTable
{
    private const string Introduction = """
        # Settings

        A setting is an environment variable, or a line of the file that `--settings FILE` names: `NAME=value` with `#`
        comments, or a JSON object (`{"Kafka": {"BootstrapServers": "a:9092"}}`; the prefix may be left out).
        The environment replaces what the file says. Unknown names with the prefix, unreadable values and values out of range
        are reported together before anything connects, with exit code 78.
        Lists are comma-separated; times are a number and a unit (`500ms`, `1s`, `5m`, `2h`, `7d`).
        `streaming config` prints the effective values and where each comes from, as a file that `--settings` reads
        (secrets are hidden).
        Of OpenTelemetry's variables, `OTEL_EXPORTER_OTLP_ENDPOINT`, `_PROTOCOL` and `_HEADERS`, `OTEL_SERVICE_NAME`,
        `OTEL_RESOURCE_ATTRIBUTES`, `OTEL_METRIC_EXPORT_INTERVAL`, `OTEL_{METRICS,TRACES,LOGS}_EXPORTER` (`otlp` or `none`) and
        `OTEL_TRACES_SAMPLER` with its `_ARG` are read; the settings under "Telemetry" take precedence.
        Names without the prefix (`Kafka__GroupId`) are those of earlier versions: this version reads them with a warning,
        the next will not.

        This page is the output of `streaming config --markdown`.

        ## Set first

        What most installations set; everything else has a default that works.


        """;

    /// <summary>One line a setting: NAME=value, secrets hidden, with a comment that says who set it.</summary>
    public static string Effective(SettingsValues settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        var text = new StringBuilder();
        text.Append("# Set first\n");
        if (settings.Preset is { } preset)
        {
            text.Append(SettingsFile.Line(SettingsPreset.Variable, preset.Name)).Append('\n');
        }

        Lines(settings.Catalogue.Sections, essential: true, settings, text);
        foreach (SettingGroup group in Enum.GetValues<SettingGroup>())
        {
            text.Append("\n# ").Append(group).Append('\n');
            Lines(settings.Catalogue.Sections.Where(section => section.Group == group), essential: false, settings, text);
        }

        return text.ToString();
    }

    /// <summary>The page of all settings in Markdown, <c>deploy/SETTINGS.md</c>: name, default, meaning with what is allowed.</summary>
    public static string Markdown(SettingsCatalogue catalogue)
    {
        ArgumentNullException.ThrowIfNull(catalogue);
        var text = new StringBuilder(Introduction);
        Rows(catalogue.Sections, essential: true, text);
        Presets(catalogue, text);
        foreach (SettingGroup group in Enum.GetValues<SettingGroup>())
        {
            text.Append("## ").Append(group).Append("\n\n");
            foreach (
                IGrouping<string, SettingsSection> sections in catalogue
                    .Sections.Where(section => section.Group == group)
                    .GroupBy(static section => section.Name)
            )
            {
                string purpose = string.Join(' ', sections.Select(static section => Capital(section.Purpose)));
                text.Append("### ").Append(sections.Key).Append("\n\n").Append(purpose).Append("\n\n");
                Rows(sections, essential: false, text);
            }
        }

        return text.ToString().TrimEnd('\n') + "\n";
    }

    private static void Presets(SettingsCatalogue catalogue, StringBuilder text)
    {
        if (catalogue.Presets.Count == 0)
        {
            return;
        }

        text.Append("## Presets\n\n")
            .Append($"`{SettingsPreset.Variable}=NAME` chooses values for a kind of installation; what is set elsewhere replaces them.\n\n")
            .Append("| name | for | values |\n|---|---|---|\n");
        foreach (SettingsPreset preset in catalogue.Presets)
        {
            IEnumerable<string> values = preset.Values.Select(static pair => $"`{pair.Key}={pair.Value}`");
            text.Append(
                $"| `{preset.Name}` | {preset.Purpose} | {(preset.Values.Count == 0 ? "the defaults" : string.Join(", ", values))} |\n"
            );
        }

        text.Append('\n');
    }

    private static void Lines(IEnumerable<SettingsSection> sections, bool essential, SettingsValues settings, StringBuilder text)
    {
        foreach (SettingsSection section in sections)
        {
            object options = settings.Get(section.Type);
            foreach (Setting setting in section.Settings.Where(setting => setting.Essential == essential))
            {
                text.Append(SettingsFile.Line(setting.Variable, setting.Show(options)));
                if (settings.Sources.TryGetValue(setting, out SettingSource source))
                {
                    string place = source.Place.Length == 0 ? string.Empty : ", " + source.Place;
                    text.Append("  # ").Append(source.Origin.ToString().ToLowerInvariant()).Append(place);
                }

                text.Append('\n');
            }
        }
    }

    private static void Rows(IEnumerable<SettingsSection> sections, bool essential, StringBuilder text)
    {
        text.Append("| name | default | meaning |\n|---|---|---|\n");
        foreach (SettingsSection section in sections)
        {
            object defaults = Activator.CreateInstance(section.Type)!;
            foreach (Setting setting in section.Settings.Where(setting => setting.Essential == essential))
            {
                string value = setting.Show(defaults);
                text.Append("| `")
                    .Append(setting.Variable)
                    .Append("` | ")
                    .Append(value.Length == 0 ? "(empty)" : "`" + value.Replace("|", "\\|", StringComparison.Ordinal) + "`")
                    .Append(" | ")
                    .Append(Describe(setting, defaults))
                    .Append(" |\n");
            }
        }

        text.Append('\n');
    }

    private static string Describe(Setting setting, object defaults)
    {
        string summary = XmlDocumentation.Summary(setting.Property).Replace("|", "\\|", StringComparison.Ordinal);
        foreach (string opening in (string[])["Gets or sets a value indicating ", "Gets a value indicating ", "Gets or sets ", "Gets "])
        {
            if (summary.StartsWith(opening, StringComparison.Ordinal))
            {
                summary = summary[opening.Length..];
                break;
            }
        }

        summary = Capital(StatedDefault.Remove(summary, SettingValue.Format(setting.Get(defaults))));
        string values = setting.Type.IsEnum
            ? $" One of {string.Join(", ", Enum.GetNames(setting.Type).Select(name => $"`{name}`"))}."
            : string.Empty;
        return summary + values + (setting.Secret ? $" Or `{setting.Variable}File`: a file that holds it." : string.Empty);
    }

    private static string Capital(string text) => text.Length == 0 ? string.Empty : char.ToUpperInvariant(text[0]) + text[1..];
}
