using System.Text;

namespace Streaming.Worker.Settings;

/// <summary>Settings for people: the effective values, and the page of all settings.</summary>
internal static class SettingsTable
{
    private const string Introduction = """
        # Settings

        Environment variables. Unknown names, unreadable values and values out of range are reported together before anything connects, with exit code 78.
        Lists are comma-separated; times are a number and a unit (`500ms`, `1s`, `5m`, `2h`, `7d`).
        This page is the output of `streaming config --markdown`.


        """;

    /// <summary>One line a setting: VARIABLE=value, secrets hidden.</summary>
    public static string Effective(SettingsValues settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        var text = new StringBuilder();
        foreach (SettingsSection section in settings.Catalogue.Sections)
        {
            object options = settings.Get(section.Type);
            foreach (Setting setting in section.Settings)
            {
                text.Append(setting.Variable).Append('=').Append(setting.Show(options)).Append('\n');
            }
        }

        return text.ToString();
    }

    /// <summary>The page of all settings in Markdown, <c>deploy/SETTINGS.md</c>: variable, default, meaning with what is allowed.</summary>
    public static string Markdown(SettingsCatalogue catalogue)
    {
        ArgumentNullException.ThrowIfNull(catalogue);
        var text = new StringBuilder(Introduction);
        foreach (SettingsSection section in catalogue.Sections)
        {
            object defaults = Activator.CreateInstance(section.Type)!;
            text.Append("## ").Append(section.Name).Append("\n\n").Append(char.ToUpperInvariant(section.Purpose[0])).Append(section.Purpose, 1, section.Purpose.Length - 1).Append("\n\n");
            text.Append("| variable | default | meaning |\n|---|---|---|\n");
            foreach (Setting setting in section.Settings)
            {
                string value = setting.Show(defaults);
                text.Append("| `").Append(setting.Variable).Append("` | ")
                    .Append(value.Length == 0 ? "(empty)" : "`" + value.Replace("|", "\\|", StringComparison.Ordinal) + "`").Append(" | ")
                    .Append(Describe(setting)).Append(" |\n");
            }

            text.Append('\n');
        }

        return text.ToString().TrimEnd('\n') + "\n";
    }

    private static string Describe(Setting setting)
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

        summary = summary.Length == 0 ? string.Empty : char.ToUpperInvariant(summary[0]) + summary[1..];
        string values = setting.Type.IsEnum ? $" One of {string.Join(", ", Enum.GetNames(setting.Type).Select(name => $"`{name}`"))}." : string.Empty;
        return summary + values + (setting.Secret ? $" Secret; or `{setting.Variable}File`." : string.Empty);
    }
}
