namespace Streaming.Transport.Kafka.Clients;

/// <summary>
/// How to reach the schema registry of topics whose format is <see cref="RecordFormat.Registry"/>: Confluent's, or one that speaks its API.
/// </summary>
public sealed record RegistryOptions
{
    /// <summary>Gets the registry's address, <c>https://host:8081</c> with a path where it has one; several of one registry separated by
    /// commas. Default empty: there is none.</summary>
    public string Url { get; init; } = string.Empty;

    /// <summary>Gets the user of basic authentication; Confluent Cloud's API key. Default empty: none.</summary>
    public string Username { get; init; } = string.Empty;

    /// <summary>Gets the password of basic authentication. Secret.</summary>
    public string Password { get; init; } = string.Empty;

    /// <summary>Gets the file with the certificates of the authorities that are trusted, PEM. Default empty: the system's.</summary>
    public string SslCaLocation { get; init; } = string.Empty;

    /// <summary>Gets the file with this client's certificate, PEM. Default empty: none.</summary>
    public string SslCertificateLocation { get; init; } = string.Empty;

    /// <summary>Gets the file with this client's private key, PEM; empty: it is in the certificate's file.</summary>
    public string SslKeyLocation { get; init; } = string.Empty;

    /// <summary>Gets the password of the private key. Secret.</summary>
    public string SslKeyPassword { get; init; } = string.Empty;

    /// <summary>Gets how long an answer may take. 1 s … 1 min. Default 10 s.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Shows what may be shown: no password.</summary>
    public override string ToString() => $"RegistryOptions {{ Url = {string.Join(',', Addresses.Select(RegistryOptionsCheck.Shown))} }}";

    /// <summary>Gets the addresses.</summary>
    internal IEnumerable<string> Addresses => Url.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
}
