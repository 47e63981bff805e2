using Streaming.Worker.Failures;

namespace Streaming.Lab.Backtest;

/// <summary>All combinations of settings to try, and single models beside them.</summary>
internal static class SettingsGrid
{
    /// <summary>Creates the combinations.</summary>
    /// <param name="tries">Each NAME=VALUE;VALUE;…; a single value applies to all combinations.</param>
    /// <param name="also">Each NAME=VALUE NAME=VALUE …: one more combination, the first one with these values instead.</param>
    /// <returns>The variables by name of each combination; one empty combination if there are no tries.</returns>
    /// <exception cref="SettingsException">A try has no name or no value.</exception>
    public static IReadOnlyList<IReadOnlyDictionary<string, string>> Combinations(
        IReadOnlyList<string> tries,
        IReadOnlyList<string>? also = null
    )
    {
        List<Dictionary<string, string>> combinations =
        [
            [],
        ];
        foreach (string text in tries)
        {
            (string name, string value) = Pair(text, "--set", text, "NAME=VALUE or NAME=VALUE;VALUE;… such as Model__Layers=1;2");
            string[] values = value.Split(';');
            combinations =
            [
                .. combinations.SelectMany(_ => values, (before, value) => new Dictionary<string, string>(before) { [name] = value }),
            ];
        }

        return [.. combinations, .. (also ?? []).Select(text => Instead(combinations[0], text))];
    }

    /// <summary>
    /// Labels a combination by what differs: "STREAMING__Model__Layers=2 STREAMING__Offline__Epochs=10"; empty for the only one.
    /// </summary>
    /// <param name="combination">The combination.</param>
    /// <param name="all">All combinations.</param>
    /// <param name="counts">Which variables count; null: all.</param>
    public static string Label(
        IReadOnlyDictionary<string, string> combination,
        IReadOnlyList<IReadOnlyDictionary<string, string>> all,
        Func<string, bool>? counts = null
    ) =>
        string.Join(
            ' ',
            combination
                .Where(pair => counts?.Invoke(pair.Key) != false && all.Any(other => other.GetValueOrDefault(pair.Key) != pair.Value))
                .Select(pair => $"{pair.Key}={pair.Value}")
        );

    private static Dictionary<string, string> Instead(Dictionary<string, string> first, string text)
    {
        var combination = new Dictionary<string, string>(first);
        foreach (string setting in text.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            (string name, string value) = Pair(
                setting,
                "--also",
                text,
                "NAME=VALUE NAME=VALUE … such as \"Model__Loss=cbns Model__Layers=1\""
            );

            // A setting may be named with the prefix in one option and without it in the other.
            string same = combination.Keys.FirstOrDefault(key => IsSame(key, name)) ?? name;
            combination[same] = value;
        }

        return combination;
    }

    private static bool IsSame(string name, string other) =>
        BacktestSettings.Bare(name).Equals(BacktestSettings.Bare(other), StringComparison.OrdinalIgnoreCase);

    private static (string Name, string Value) Pair(string setting, string option, string text, string allowed)
    {
        int equals = setting.IndexOf('=', StringComparison.Ordinal);
        return equals > 0
            ? (setting[..equals], setting[(equals + 1)..])
            : throw new SettingsException([$"{option} is \"{text}\"; allowed: {allowed}."]);
    }
}
