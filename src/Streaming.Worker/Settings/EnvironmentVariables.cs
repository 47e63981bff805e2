using System.Collections;

namespace Streaming.Worker.Settings;

/// <summary>The environment of this process.</summary>
internal static class EnvironmentVariables
{
    /// <summary>All variables by name.</summary>
    public static Dictionary<string, string> Read() =>
        Environment
            .GetEnvironmentVariables()
            .Cast<DictionaryEntry>()
            .ToDictionary(static pair => (string)pair.Key, static pair => (string?)pair.Value ?? string.Empty, StringComparer.Ordinal);
}
