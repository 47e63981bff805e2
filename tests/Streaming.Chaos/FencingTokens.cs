using System.Globalization;
using System.Text.RegularExpressions;

namespace Streaming.Chaos;

/// <summary>The fencing tokens that the workers were given, as their logs tell.</summary>
internal static partial class FencingTokens
{
    /// <summary>Counts the tokens that are not greater than every one before them.</summary>
    /// <param name="folder">The folder of the workers' logs, which sort by the order of the lives.</param>
    /// <exception cref="InvalidOperationException">No log has a token.</exception>
    public static int CountBackwards(string folder)
    {
        long[] tokens = [.. Directory.GetFiles(folder, "worker-*.log").Order(StringComparer.Ordinal)
            .SelectMany(File.ReadLines)
            .Select(line => Given().Match(line))
            .Where(match => match.Success)
            .Select(match => long.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture))];
        if (tokens.Length == 0)
        {
            throw new InvalidOperationException($"No worker's log in {folder} names a fencing token.");
        }

        long newest = 0;
        int backwards = 0;
        foreach (long token in tokens)
        {
            backwards += token > newest ? 0 : 1;
            newest = Math.Max(newest, token);
        }

        return backwards;
    }

    [GeneratedRegex(@"fencing token (\d+)", RegexOptions.IgnoreCase)]
    private static partial Regex Given();
}
