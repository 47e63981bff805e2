using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using StackExchange.Redis;

namespace Streaming.Transport.Redis;

/// <summary>Opens connections that survive the server: they open while it is away and come back when it does.</summary>
public static class RedisConnection
{
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

    /// <summary>Finds out why Redis does not answer, by a connection of its own: commands that find none say only that they waited, and
    /// the client reports a server's refusal once, while it connects.</summary>
    /// <param name="options">How to reach it.</param>
    /// <param name="error">What a command threw.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>In one line: the server's own words, or what became of the connection.</returns>
    public static async Task<string> DiagnoseAsync(RedisOptions options, Exception error, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(error);
        if (error is RedisServerException)
        {
            return FirstWords(error.Message);
        }

        try
        {
            ConfigurationOptions settings = Settings(options);
            settings.AbortOnConnectFail = true;
            using ConnectionMultiplexer probe = await ConnectionMultiplexer.ConnectAsync(settings).WaitAsync(cancellationToken).ConfigureAwait(false);
            return FirstWords(error.Message);
        }
        catch (Exception failure) when (failure is RedisException or TimeoutException)
        {
            return Words(failure);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return $"{nameof(options.PasswordFile)} or {nameof(options.CertificateAuthorityFile)} cannot be read: {failure.Message}";
        }
        catch (OperationCanceledException)
        {
            return FirstWords(error.Message);
        }
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
            return $"Redis Configuration cannot be read; {Keywords(configuration)}";
        }
    }

    private static string Keywords(string configuration)
    {
        IEnumerable<string> keywords = configuration.Split(',').Where(part => part.Contains('=', StringComparison.Ordinal))
            .Select(part => part[..part.IndexOf('=', StringComparison.Ordinal)].Trim());
        return $"its keywords are: {string.Join(", ", keywords)}. Allowed: host:port,… and the keywords of this build's StackExchange.Redis, each with a value of its kind.";
    }

    private static string Words(Exception failure)
    {
        Exception cause = failure.GetBaseException();
        return cause is RedisServerException || failure.Message.Contains("authentication failure", StringComparison.OrdinalIgnoreCase)
            ? $"it refuses the user or password of Redis__Configuration: {FirstWords(cause.Message)}"
            : FirstWords(cause.Message);
    }

    /// <summary>The beginning of a message: the client's own go on with its settings and counters.</summary>
    public static string FirstWords(string message)
    {
        ArgumentNullException.ThrowIfNull(message);
        const int most = 200;
        string first = message.Split(['\r', '\n', ';'], 2)[0];
        return first.Length > most ? first[..most] + "…" : first;
    }

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
