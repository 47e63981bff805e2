using Streaming.Core.Options;

namespace Streaming.Worker.Settings;

/// <summary>The preset that layers of settings choose, and the layers to bind: the preset's first, the others without the choice.</summary>
internal sealed class PresetChoice
{
    /// <summary>Takes the choice out of the layers; of several the last layer's counts.</summary>
    public PresetChoice(IReadOnlyList<SettingsPreset> presets, IReadOnlyList<SettingsLayer> layers, List<string> errors)
    {
        if (presets.Count == 0)
        {
            Layers = layers;
            return;
        }

        var rest = new List<SettingsLayer>();
        foreach (SettingsLayer layer in layers)
        {
            ILookup<bool, SettingInput> inputs = layer.Inputs.ToLookup(input => IsChoice(input, layer.Origin));
            foreach (SettingInput choice in inputs[true].Where(static choice => choice.Text.Length > 0))
            {
                Preset = Find(presets, choice, errors);
            }

            rest.Add(layer with { Inputs = [.. inputs[false]] });
        }

        Layers = Preset is null ? rest : [LayerOf(Preset), .. rest];
    }

    /// <summary>Gets the preset; null if none was chosen, or an unknown one.</summary>
    public SettingsPreset? Preset { get; }

    /// <summary>Gets the layers to bind, in order.</summary>
    public IReadOnlyList<SettingsLayer> Layers { get; }

    private static SettingsPreset? Find(IReadOnlyList<SettingsPreset> presets, SettingInput choice, List<string> errors)
    {
        SettingsPreset? preset = presets.FirstOrDefault(one => one.Name.Equals(choice.Text, StringComparison.OrdinalIgnoreCase));
        if (preset is null)
        {
            string name = SettingsBinder.Label(SettingsPreset.Variable, choice.Place);
            string allowed = $"one of {string.Join(", ", presets.Select(static one => one.Name))}";
            errors.Add(new SettingError(name, OptionText.Show(choice.Text), allowed).ToString());
        }

        return preset;
    }

    private static SettingsLayer LayerOf(SettingsPreset preset) =>
        new(SettingOrigin.Preset, [.. preset.Values.Select(pair => new SettingInput(pair.Key, pair.Value, preset.Name))]);

    // As with every setting, the prefix may be left out in a file.
    private static bool IsChoice(SettingInput input, SettingOrigin origin) =>
        input.Name.Equals(SettingsPreset.Variable, StringComparison.OrdinalIgnoreCase)
        || (origin != SettingOrigin.Environment && input.Name.Equals(SettingsPreset.OldVariable, StringComparison.OrdinalIgnoreCase));
}
