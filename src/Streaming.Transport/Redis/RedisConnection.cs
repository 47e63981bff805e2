using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using StackExchange.Redis;

namespace Streaming.Transport.Redis;

/// <summary>Opens connections that survive the server: they open while it is away and come back when it does.</summary>
public static class RedisConnection
{
    private const string Readable = "host:port,host:port,… with settings of StackExchange.Redis, such as user=…,password=…,ssl=true,defaultDatabase=…";

    private const int KeepAliveSeconds = 5;

    /// <summary>How often roles are looked at: a replica promoted by hand is announced to nobody.</summary>
    private const int ConfigCheckSeconds = 2;

    /// <summary>Connects, or starts to: a server that is away is waited for in the background, and so are sentinels.</summary>
    /// <exception cref="ArgumentException">The options are wrong. The message holds no secret.</exception>
    public static async Task<ConnectionMultiplexer> OpenAsync(RedisOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        return await ConnectionMultiplexer.ConnectAsync(Settings(options)).WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Closes a connection at once, without waiting for commands that a caller who awaits his tasks does not have.</summary>
    public static void Close(ConnectionMultiplexer connection)
    {
        ArgumentNullException.ThrowIfNull(connection);
        connection.Close(allowCommandsToComplete: false);
    }

    internal static ConfigurationOptions Settings(RedisOptions options)
    {
        ConfigurationOptions settings = ConfigurationOptions.Parse(options.Configuration);
        settings.AbortOnConnectFail = false;
        settings.ConnectTimeout = (int)options.ConnectTimeout.TotalMilliseconds;
        settings.SyncTimeout = (int)options.CommandTimeout.TotalMilliseconds;
        settings.KeepAlive = KeepAliveSeconds;
        settings.ConfigCheckSeconds = ConfigCheckSeconds;
        settings.ReconnectRetryPolicy = new LinearRetry(500);
        if (options.PasswordFile is string file)
        {
            settings.Password = File.ReadAllText(file).Trim();
        }

        if (options.CertificateAuthorityFile is string authorities)
        {
            X509Certificate2Collection trusted = [];
            trusted.ImportFromPemFile(authorities);
            settings.CertificateValidation += (_, certificate, chain, problems) => IsTrusted(certificate, chain, problems, trusted);
        }

        return settings;
    }

    /// <summary>Says what is wrong with a connection string. The client's own messages may quote what they could not read, so
    /// only the keywords are named.</summary>
    /// <returns>Null when it can be used.</returns>
    internal static (string Value, string Allowed)? ErrorOf(string configuration)
    {
        if (string.IsNullOrWhiteSpace(configuration))
        {
            return ("empty", Readable);
        }

        int scheme = configuration.IndexOf("://", StringComparison.Ordinal);
        if (scheme >= 0)
        {
            return ($"a URL ('{configuration[..scheme]}://…')", Readable);
        }

        try
        {
            return ConfigurationOptions.Parse(configuration).EndPoints.Count > 0 ? null : ("without a server", Readable);
        }
        catch (Exception error) when (error is ArgumentException or FormatException or OverflowException)
        {
            return ($"unreadable, with the keywords {Keywords(configuration)}", Readable + ", each keyword with a value of its kind");
        }
    }

    private static string Keywords(string configuration) => string.Join(", ", configuration.Split(',')
        .Where(static part => part.Contains('=', StringComparison.Ordinal)).Select(static part => part[..part.IndexOf('=', StringComparison.Ordinal)].Trim()));

    /// <summary>Another authority is the only thing that is forgiven: the name must match, and dates and signatures must hold.</summary>
    private static bool IsTrusted(X509Certificate? certificate, X509Chain? presented, SslPolicyErrors problems, X509Certificate2Collection trusted)
    {
        if (problems == SslPolicyErrors.None)
        {
            return true;
        }

        if (problems != SslPolicyErrors.RemoteCertificateChainErrors || certificate is null)
        {
            return false;
        }

        using X509Chain chain = new();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(trusted);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        foreach (X509ChainElement element in presented?.ChainElements ?? Enumerable.Empty<X509ChainElement>())
        {
            chain.ChainPolicy.ExtraStore.Add(element.Certificate);
        }

        using X509Certificate2 copy = X509CertificateLoader.LoadCertificate(certificate.Export(X509ContentType.Cert));
        return chain.Build(copy);
    }
}
