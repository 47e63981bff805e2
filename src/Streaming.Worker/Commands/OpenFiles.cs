using System.Globalization;

namespace Streaming.Worker.Commands;

/// <summary>
/// The limit of open files. Below a few hundred .NET cannot even load its assemblies, and says that they do not exist.
/// </summary>
internal static class OpenFiles
{
    /// <summary>The smallest limit with which everything runs.</summary>
    public const long Least = 512;

    /// <summary>Checks the limit of this process.</summary>
    /// <returns>What is wrong with it; empty: nothing, or this system does not tell.</returns>
    public static string Problem()
    {
        try
        {
            return Problem(File.ReadLines("/proc/self/limits"));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return string.Empty;
        }
    }

    /// <summary>Checks the limit in the lines of /proc/PID/limits (proc_pid_limits(5)): name, soft limit, hard limit, unit.</summary>
    internal static string Problem(IEnumerable<string> lines)
    {
        const string name = "Max open files";
        string? line = lines.FirstOrDefault(static line => line.StartsWith(name, StringComparison.Ordinal));
        string soft =
            line?[name.Length..].Split(' ', 2, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)[0] ?? string.Empty;
        return long.TryParse(soft, NumberStyles.None, CultureInfo.InvariantCulture, out long limit) && limit < Least
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"the limit of open files is {limit} (ulimit -n, LimitNOFILE=); at least {Least} are needed"
            )
            : string.Empty;
    }
}
