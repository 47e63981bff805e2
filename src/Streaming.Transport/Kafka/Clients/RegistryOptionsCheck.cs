namespace Streaming.Transport.Kafka.Clients;

/// <summary>What is wrong with the settings of the schema registry. Values of secrets are never named.</summary>
internal static class RegistryOptionsCheck
{
    /// <summary>Every error, in one line each.</summary>
    public static IEnumerable<string> Errors(KafkaOptions options)
    {
        RegistryOptions registry = options.Registry;
        bool isNeeded = options.InteractionsFormat == RecordFormat.Registry || options.ItemsFormat == RecordFormat.Registry;
        if (isNeeded && registry.Url.Length == 0)
        {
            yield return "Kafka:Registry.Url is ''; allowed: the registry's address, because a format is Registry.";
        }

        foreach (string address in registry.Addresses.Where(static address => !IsAddress(address)))
        {
            yield return $"Kafka:Registry.Url holds '{Shown(address)}'; allowed: http:// or https:// addresses without a user, separated by commas.";
        }

        if (registry.Username.Length == 0 && registry.Password.Length > 0)
        {
            yield return "Kafka:Registry.Username is ''; allowed: a user, because there is a password.";
        }

        if (registry.Username.Contains(':', StringComparison.Ordinal))
        {
            yield return $"Kafka:Registry.Username is '{registry.Username}'; allowed: a name without ':'.";
        }

        foreach ((string name, string path) in ((string, string)[])
        [
            (nameof(registry.SslCaLocation), registry.SslCaLocation), (nameof(registry.SslCertificateLocation), registry.SslCertificateLocation), (nameof(registry.SslKeyLocation), registry.SslKeyLocation),
        ])
        {
            if (path.Length > 0 && !File.Exists(path))
            {
                yield return $"Kafka:Registry.{name} is '{path}'; allowed: a file that exists.";
            }
        }

        if (registry.SslKeyLocation.Length > 0 && registry.SslCertificateLocation.Length == 0)
        {
            yield return "Kafka:Registry.SslCertificateLocation is ''; allowed: a certificate, because there is a key.";
        }

        if (registry.Timeout < TimeSpan.FromSeconds(1) || registry.Timeout > TimeSpan.FromMinutes(1))
        {
            yield return $"Kafka:Registry.Timeout is '{registry.Timeout}'; allowed: 1 second to 1 minute.";
        }
    }

    private static bool IsAddress(string address) =>
        Uri.TryCreate(address, UriKind.Absolute, out Uri? uri) && uri.Scheme is "http" or "https" && uri.UserInfo.Length == 0 && uri.Query.Length == 0;

    // A user and password that were put into the address are not repeated.
    private static string Shown(string address) => address.Contains('@', StringComparison.Ordinal) ? "***@" + address[(address.LastIndexOf('@') + 1)..] : address;
}
