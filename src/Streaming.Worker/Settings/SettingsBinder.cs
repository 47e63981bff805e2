using Streaming.Core.Options;

namespace Streaming.Worker.Settings;

/// <summary>Writes the values of layers into options objects, and remembers where each comes from.</summary>
internal sealed class SettingsBinder(SettingsCatalogue catalogue, List<string> errors)
{
    private readonly SettingNames _names = new(catalogue.Sections);
    private readonly Dictionary<Setting, SettingSource> _sources = [];
    private readonly List<string> _notices = [];
    private readonly List<string> _unused = [];

    /// <summary>Gets the options objects by type.</summary>
    public Dictionary<Type, object> Values { get; } =
        catalogue.Sections.ToDictionary(section => section.Type, section => Activator.CreateInstance(section.Type)!);

    /// <summary>Gets where each value that is not the default comes from.</summary>
    public IReadOnlyDictionary<Setting, SettingSource> Sources => _sources;

    /// <summary>What users must be told though nothing is wrong.</summary>
    public IReadOnlyList<string> Notices() =>
        _unused.Count == 0 ? _notices : [.. _notices, $"Not used by this command: {string.Join(", ", _unused)}"];

    /// <summary>Takes the values of a layer, over those of the layers before it.</summary>
    public void Bind(SettingsLayer layer)
    {
        errors.AddRange(layer.Faults);
        _notices.AddRange(layer.Notices);
        var seen = new Dictionary<Setting, SettingInput>();
        foreach (SettingInput input in layer.Inputs.OrderBy(static input => input.Name, StringComparer.Ordinal))
        {
            // A name without the prefix is another program's in the environment only.
            bool ours = SettingNames.IsPrefixed(input.Name) || layer.Origin != SettingOrigin.Environment;
            if (_names.Find(input.Name, out bool fromFile) is not { } setting)
            {
                Refuse(input, ours);
            }
            else if (seen.TryGetValue(setting, out SettingInput other) && !Agree(input, other))
            {
                errors.Add(
                    $"{Label(other.Name, other.Place)} and {Label(input.Name, input.Place)} set the same thing; allowed: one of them."
                );
            }
            else
            {
                seen[setting] = input;
                if (!ours)
                {
                    _notices.Add(
                        $"{input.Name} is an old name that the next version will not read: set "
                            + $"{setting.Variable}{(fromFile ? "File" : string.Empty)}"
                    );
                }

                string place = ours ? input.Place : "set as " + input.Name;
                _sources[setting] = new SettingSource(layer.Origin, place);
                Assign(
                    setting,
                    Label(setting.Variable, place),
                    fromFile ? ReadSecret(Label(setting.Variable + "File", place), input.Text) : input.Text
                );
            }
        }
    }

    /// <summary>The name of a setting for an error message, with the place where it was set.</summary>
    public string LabelOf(Setting setting) =>
        Label(setting.Variable, _sources.TryGetValue(setting, out SettingSource source) ? source.Place : string.Empty);

    /// <summary>A name for an error message, with the place where it was set.</summary>
    public static string Label(string name, string place) => place.Length == 0 ? name : $"{name} ({place})";

    // The old name and the new one may both be set while a deployment moves from one version to the next.
    private static bool Agree(SettingInput left, SettingInput right) =>
        left.Text == right.Text
        && SettingNames.Bare(left.Name).Equals(SettingNames.Bare(right.Name), StringComparison.OrdinalIgnoreCase)
        && !left.Name.Equals(right.Name, StringComparison.OrdinalIgnoreCase);

    private void Refuse(SettingInput input, bool ours)
    {
        if (!ours)
        {
            return;
        }

        if (catalogue.IsElsewhere(SettingNames.Bare(input.Name)))
        {
            _unused.Add(input.Name);
        }
        else
        {
            errors.Add($"{Label(input.Name, input.Place)} is not a setting{_names.Suggest(input.Name)}");
        }
    }

    private void Assign(Setting setting, string label, string? text)
    {
        if (text is null)
        {
            return;
        }

        object options = Values[setting.OptionsType];
        try
        {
            // An empty text is "none" where none is the default.
            bool none = text.Length == 0 && setting.Get(options) is null;
            setting.Set(options, none ? null : SettingValue.Parse(text, setting.Type));
        }
        catch (FormatException)
        {
            errors.Add(
                new SettingError(label, setting.Secret ? "'***'" : OptionText.Show(text), SettingValue.Allowed(setting.Type)).ToString()
            );
        }
    }

    private string? ReadSecret(string label, string path)
    {
        try
        {
            return File.ReadAllText(path).TrimEnd('\r', '\n');
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            errors.Add($"{label} is '{path}', which cannot be read ({exception.Message}); allowed: a readable file that holds the secret.");
            return null;
        }
    }
}
