namespace Streaming.Worker.Settings;

/// <summary>Finds settings by the names that users give.</summary>
internal sealed class SettingNames(IEnumerable<SettingsSection> sections)
{
    private const string SecretFile = "File";

    private readonly Dictionary<string, Setting> _settings = sections
        .SelectMany(section => section.Settings)
        .ToDictionary(setting => setting.OldVariable, StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether a name has the prefix.</summary>
    public static bool IsPrefixed(string name) => name.StartsWith(Setting.Prefix, StringComparison.OrdinalIgnoreCase);

    /// <summary>A name without the prefix.</summary>
    public static string Bare(string name) => IsPrefixed(name) ? name[Setting.Prefix.Length..] : name;

    /// <summary>The setting of a name, with or without the prefix.</summary>
    /// <param name="name">The name, whatever its case.</param>
    /// <param name="fromFile">Whether the value is the path of a file that holds the secret.</param>
    public Setting? Find(string name, out bool fromFile)
    {
        string bare = Bare(name);
        fromFile = false;
        if (_settings.TryGetValue(bare, out Setting? setting))
        {
            return setting;
        }

        fromFile =
            bare.EndsWith(SecretFile, StringComparison.OrdinalIgnoreCase)
            && _settings.TryGetValue(bare[..^SecretFile.Length], out setting)
            && setting.Secret;
        return fromFile ? setting : null;
    }

    /// <summary>The end of the sentence "… is not a setting".</summary>
    public string Suggest(string name)
    {
        string bare = Bare(name);
        Setting? nearest = _settings.Values.MinBy(candidate => Distance(bare, candidate.OldVariable));
        return nearest is not null && Distance(bare, nearest.OldVariable) <= 4
            ? $"; did you mean {nearest.Variable}?"
            : "; `streaming config` lists all settings.";
    }

    /// <summary>Levenshtein distance, letters compared without case.</summary>
    private static int Distance(string left, string right)
    {
        int[] row = [.. Enumerable.Range(0, right.Length + 1)];
        for (int i = 1; i <= left.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= right.Length; j++)
            {
                int change = diagonal + (char.ToUpperInvariant(left[i - 1]) == char.ToUpperInvariant(right[j - 1]) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(change, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[^1];
    }
}
