using System.Globalization;
using System.Text.RegularExpressions;

namespace Streaming.Chaos;

/// <summary>The fencing tokens given to the workers, from their logs.</summary>
internal static partial class FencingTokens
{
    /// <summary>Counts tokens that are not greater than all earlier ones.</summary>
    /// <param name="folder">The folder of the workers' logs, whose names sort in start order.</param>
    /// <exception cref="InvalidOperationException">No log contains a token.</exception>
    public static int CountBackwards(string folder)
    {
        long[] tokens =
        [
            .. Directory
                .GetFiles(folder, "worker-*.log")
                .Order(StringComparer.Ordinal)
                .SelectMany(File.ReadLines)
                .Select(line => Given().Match(line))
                .Where(match => match.Success)
                .Select(match => long.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture)),
        ];
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
