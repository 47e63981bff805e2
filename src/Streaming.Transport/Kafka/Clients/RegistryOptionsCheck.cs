using Streaming.Core.Options;

namespace Streaming.Transport.Kafka.Clients;

/// <summary>Validates the settings of the schema registry. Secrets are never quoted.</summary>
internal static class RegistryOptionsCheck
{
    /// <summary>Adds every error.</summary>
    public static void Verify(KafkaOptions options, OptionErrors errors)
    {
        RegistryOptions registry = options.Registry;
        bool isNeeded = options.InteractionsFormat == RecordFormat.Registry || options.ItemsFormat == RecordFormat.Registry;
        Check(
            !isNeeded || registry.Url.Length > 0,
            nameof(registry.Url),
            registry.Url,
            "the registry's address, because a format is Registry"
        );
        foreach (string address in registry.Addresses.Where(static address => !IsAddress(address)))
        {
            Check(false, nameof(registry.Url), Shown(address), "http:// or https:// addresses without a user, separated by commas");
        }

        Check(
            registry.Username.Length > 0 || registry.Password.Length == 0,
            nameof(registry.Username),
            registry.Username,
            "a user, because there is a password"
        );
        Check(
            !registry.Username.Contains(':', StringComparison.Ordinal),
            nameof(registry.Username),
            registry.Username,
            "a name without ':'"
        );
        CheckFile(nameof(registry.SslCaLocation), registry.SslCaLocation);
        CheckFile(nameof(registry.SslCertificateLocation), registry.SslCertificateLocation);
        CheckFile(nameof(registry.SslKeyLocation), registry.SslKeyLocation);
        Check(
            registry.SslKeyLocation.Length == 0 || registry.SslCertificateLocation.Length > 0,
            nameof(registry.SslCertificateLocation),
            registry.SslCertificateLocation,
            "a certificate, because there is a key"
        );
        errors.Range("Registry." + nameof(registry.Timeout), registry.Timeout, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1));

        void Check(bool holds, string name, string value, string allowed) => errors.Check(holds, "Registry." + name, value, allowed);

        void CheckFile(string name, string path) => Check(path.Length == 0 || File.Exists(path), name, path, "a file that exists");
    }

    /// <summary>An address without the user and password that were put into it.</summary>
    public static string Shown(string address) =>
        address.Contains('@', StringComparison.Ordinal) ? "***@" + address[(address.LastIndexOf('@') + 1)..] : address;

    private static bool IsAddress(string address) =>
        Uri.TryCreate(address, UriKind.Absolute, out Uri? uri)
        && uri.Scheme is "http" or "https"
        && uri.UserInfo.Length == 0
        && uri.Query.Length == 0;
}
