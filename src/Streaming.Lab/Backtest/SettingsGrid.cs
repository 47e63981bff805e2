using Streaming.Worker.Failures;

namespace Streaming.Lab.Backtest;

/// <summary>All combinations of settings to try.</summary>
internal static class SettingsGrid
{
    /// <summary>Creates the combinations.</summary>
    /// <param name="tries">Each NAME=VALUE;VALUE;…; a single value applies to all combinations.</param>
    /// <returns>The variables by name of each combination; one empty combination if there are no tries.</returns>
    /// <exception cref="SettingsException">A try has no name or no value.</exception>
    public static IReadOnlyList<IReadOnlyDictionary<string, string>> Combinations(IReadOnlyList<string> tries)
    {
        List<Dictionary<string, string>> combinations =
        [
            [],
        ];
        foreach (string text in tries)
        {
            int equals = text.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0)
            {
                throw new SettingsException([$"--set is \"{text}\"; allowed: NAME=VALUE or NAME=VALUE;VALUE;… such as Model__Layers=1;2."]);
            }

            string name = text[..equals];
            string[] values = text[(equals + 1)..].Split(';');
            combinations =
            [
                .. combinations.SelectMany(_ => values, (before, value) => new Dictionary<string, string>(before) { [name] = value }),
            ];
        }

        return combinations;
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
                .Where(pair => counts?.Invoke(pair.Key) != false && all.Any(other => other[pair.Key] != pair.Value))
                .Select(pair => $"{pair.Key}={pair.Value}")
        );
}
