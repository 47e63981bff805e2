using System.Reflection;
using Streaming.Worker.Failures;

namespace Streaming.Worker.Settings;

/// <summary>All settings of the program, and how they are read from environment variables.</summary>
public sealed class SettingsCatalogue(IReadOnlyList<SettingsSection> sections)
{
    /// <summary>Gets the sections, in the order in which they are shown.</summary>
    public IReadOnlyList<SettingsSection> Sections { get; } = sections;

    /// <summary>Reads every section from the environment, over the defaults.</summary>
    /// <param name="environment">Variables by name. Those outside our sections are none of our business.</param>
    /// <exception cref="SettingsException">Names every variable that is unknown, unreadable or not allowed.</exception>
    public SettingsValues Load(IReadOnlyDictionary<string, string> environment)
    {
        ArgumentNullException.ThrowIfNull(environment);
        var errors = new List<string>();
        var values = Sections.ToDictionary(section => section.Type, section => Activator.CreateInstance(section.Type)!);
        foreach (IGrouping<string, SettingsSection> sections in Sections.GroupBy(section => section.Name, StringComparer.OrdinalIgnoreCase))
        {
            Bind(sections, values, environment, errors);
        }

        var settings = new SettingsValues(this, values);
        Validate(settings, errors);
        return errors.Count == 0 ? settings : throw new SettingsException(errors);
    }

    private static void Bind(IGrouping<string, SettingsSection> sections, Dictionary<Type, object> values, IReadOnlyDictionary<string, string> environment, List<string> errors)
    {
        string prefix = sections.Key + "__";
        var byVariable = sections.SelectMany(section => section.Settings).ToDictionary(setting => setting.Variable, StringComparer.OrdinalIgnoreCase);
        var seen = new Dictionary<Setting, string>();
        foreach ((string variable, string text) in environment.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            if (!variable.StartsWith(prefix, StringComparison.OrdinalIgnoreCase))
            {
                continue;
            }

            bool fromFile = !byVariable.TryGetValue(variable, out Setting? setting)
                && variable.EndsWith("File", StringComparison.OrdinalIgnoreCase)
                && byVariable.TryGetValue(variable[..^4], out setting) && setting.Secret;
            if (setting is null || (variable.Length != setting.Variable.Length && !fromFile))
            {
                errors.Add($"{variable} is not a setting{Suggest(variable, byVariable.Keys)}");
            }
            else if (!seen.TryAdd(setting, variable))
            {
                errors.Add($"{variable} and {seen[setting]} set the same thing; allowed: one of them.");
            }
            else if (!fromFile)
            {
                Assign(values[setting.OptionsType], setting, variable, text, errors);
            }
            else if (ReadSecret(variable, text, errors) is { } secret)
            {
                Assign(values[setting.OptionsType], setting, variable, secret, errors);
            }
        }
    }

    private static void Assign(object options, Setting setting, string variable, string text, List<string> errors)
    {
        try
        {
            // An empty text is "none" where none is the default.
            bool none = text.Length == 0 && setting.Get(options) is null;
            setting.Set(options, none ? null : SettingValue.Parse(text, setting.Type));
        }
        catch (FormatException)
        {
            errors.Add($"{variable} is \"{(setting.Secret ? "***" : text)}\"; allowed: {SettingValue.Allowed(setting.Type)}.");
        }
    }

    private static string? ReadSecret(string variable, string path, List<string> errors)
    {
        try
        {
            return File.ReadAllText(path).TrimEnd('\r', '\n');
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            errors.Add($"{variable} is \"{path}\", which cannot be read ({exception.Message}); allowed: a readable file that holds the secret.");
            return null;
        }
    }

    private static void Validate(SettingsValues settings, List<string> errors)
    {
        foreach (SettingsSection section in settings.Catalogue.Sections)
        {
            try
            {
                (section.Check ?? (values => ValidateItself(values.Get(section.Type))))(settings);
            }
            catch (ArgumentException exception)
            {
                errors.AddRange(Lines(section, exception));
            }
        }
    }

    private static void ValidateItself(object options)
    {
        const BindingFlags plain = BindingFlags.Public | BindingFlags.Instance | BindingFlags.DoNotWrapExceptions;
        options.GetType().GetMethod("Validate", Type.EmptyTypes)?.Invoke(options, plain, null, null, null);
    }

    /// <summary>The lines of a validation message, with the variables in the place of the properties that they begin with.</summary>
    private static IEnumerable<string> Lines(SettingsSection section, ArgumentException exception)
    {
        string message = exception.ParamName is { } parameter ? exception.Message.Replace($" (Parameter '{parameter}')", string.Empty, StringComparison.Ordinal) : exception.Message;
        foreach (string text in message.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            // Some begin with their section ("Kafka:GroupId is …", "Redis Model is …"): the variable says it too.
            string line = text.StartsWith(section.Name + ":", StringComparison.Ordinal) || text.StartsWith(section.Name + " ", StringComparison.Ordinal) ? text[(section.Name.Length + 1)..] : text;
            Setting? named = section.Settings.FirstOrDefault(setting =>
                line.StartsWith(setting.Name, StringComparison.Ordinal) && (line.Length == setting.Name.Length || !char.IsLetterOrDigit(line[setting.Name.Length])));
            yield return named is null ? $"{section.Name}: {line}" : named.Variable + line[named.Name.Length..];
        }
    }

    private static string Suggest(string variable, IEnumerable<string> known)
    {
        string nearest = known.MinBy(candidate => Distance(variable, candidate)) ?? string.Empty;
        return nearest.Length > 0 && Distance(variable, nearest) <= 4 ? $"; did you mean {nearest}?" : "; `streaming config` lists all settings.";
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
