using System.Text.RegularExpressions;

namespace Streaming.Worker.Settings;

/// <summary>Hides secrets in what is shown.</summary>
internal static partial class SecretMask
{
    private const string Mask = "***";

    /// <summary>
    /// Hides a secret value. Of a connection string ("host:6379,password=p,ssl=true") and of a URI with user
    /// information only the secret part is hidden: the rest is what one looks for.
    /// </summary>
    public static string Apply(string value)
    {
        ArgumentNullException.ThrowIfNull(value);
        if (value.Length == 0)
        {
            return value;
        }

        if (UserInformation().IsMatch(value))
        {
            return UserInformation().Replace(value, "$1" + Mask + "@");
        }

        if (value.Contains('=', StringComparison.Ordinal) || HostAndPort().IsMatch(value))
        {
            return SecretPart().Replace(value, "$1" + Mask);
        }

        return Mask;
    }

    [GeneratedRegex(@"\b((?:password|secret|token|key)\s*=\s*)[^,]+", RegexOptions.IgnoreCase)]
    private static partial Regex SecretPart();

    [GeneratedRegex(@"^([a-z][a-z0-9+.-]*://(?:[^:@/]*:)?)[^@/]+@", RegexOptions.IgnoreCase)]
    private static partial Regex UserInformation();

    [GeneratedRegex(@"^[\w.-]+:\d+(?:,[\w.-]+:\d+)*$")]
    private static partial Regex HostAndPort();
}
