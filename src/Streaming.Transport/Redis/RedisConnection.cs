using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using StackExchange.Redis;

namespace Streaming.Transport.Redis;

/// <summary>Opens connections that survive server outages: they open while the server is down and reconnect when it returns.</summary>
public static class RedisConnection
{
    private const int KeepAliveSeconds = 5;

    /// <summary>How often roles are checked: a replica promoted by hand is announced to nobody.</summary>
    private const int ConfigCheckSeconds = 2;

    /// <summary>Connects, or starts to: an unavailable server or sentinel is awaited in the background.</summary>
    /// <exception cref="ArgumentException">The options are invalid. The message contains no secret.</exception>
    public static async Task<ConnectionMultiplexer> OpenAsync(RedisOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        return await ConnectionMultiplexer.ConnectAsync(Settings(options)).WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Closes a connection at once; a caller that awaits its tasks has no commands pending.</summary>
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

    /// <summary>Validates a connection string. The client's own messages may quote the text that they cannot parse, so
    /// this one names only keywords.</summary>
    /// <returns>The error, or null.</returns>
    internal static string? ErrorOf(string configuration)
    {
        if (configuration.Contains("://", StringComparison.Ordinal))
        {
            return $"Redis Configuration is a URL ('{configuration[..configuration.IndexOf("://", StringComparison.Ordinal)]}://…'); allowed: host:port,host:port,… with settings of StackExchange.Redis, "
                + "such as user=…,password=…,ssl=true,defaultDatabase=….";
        }

        try
        {
            return ConfigurationOptions.Parse(configuration).EndPoints.Count > 0 ? null : $"Redis Configuration names no server; {Keywords(configuration)}";
        }
        catch (Exception error) when (error is ArgumentException or FormatException or OverflowException)
        {
            return $"Redis Configuration cannot be parsed; {Keywords(configuration)}";
        }
    }

    private static string Keywords(string configuration)
    {
        IEnumerable<string> keywords = configuration.Split(',').Where(part => part.Contains('=', StringComparison.Ordinal))
            .Select(part => part[..part.IndexOf('=', StringComparison.Ordinal)].Trim());
        return $"its keywords are: {string.Join(", ", keywords)}. Allowed: host:port,… and the keywords of this build's StackExchange.Redis, each with a value of its kind.";
    }

    /// <summary>Accepts only an additional authority: name, dates and signatures must still be valid.</summary>
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
