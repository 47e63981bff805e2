using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using StackExchange.Redis;

namespace Streaming.Transport.Redis;

/// <summary>Opens connections that survive server outages: they open while the server is down and reconnect when it returns.</summary>
public static class RedisConnection
{
    private const string Readable =
        "host:port,host:port,… with settings of StackExchange.Redis, such as user=…,password=…,ssl=true,defaultDatabase=…";

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

    /// <summary>
    /// Connects for a command that ends when there is no answer, within about twice <see cref="RedisOptions.ConnectTimeout"/>.
    /// </summary>
    /// <exception cref="RedisUnavailableException">No server answers, or it refuses the user or password.</exception>
    public static async Task<ConnectionMultiplexer> OpenNowAsync(RedisOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        try
        {
            return await ConnectNowAsync(options, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is RedisException or TimeoutException)
        {
            string reason = await WordsAsync(options, failure, cancellationToken).ConfigureAwait(false);
            throw new RedisUnavailableException(Servers(options), reason, failure);
        }
    }

    /// <summary>Finds out why Redis does not answer, by a connection of its own: commands that find none say only that they waited, and
    /// the client reports a server's refusal once, while it connects.</summary>
    /// <param name="options">How to reach it.</param>
    /// <param name="error">What a command threw.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>In one line: the server's own words, or what became of the connection.</returns>
    public static async Task<string> DiagnoseAsync(RedisOptions options, Exception error, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(error);
        string reason =
            error is RedisServerException ? string.Empty : await DiagnoseAsync(options, cancellationToken).ConfigureAwait(false);
        return reason.Length > 0 ? reason : FirstWords(error.Message);
    }

    /// <summary>Tries to connect, and says why that fails.</summary>
    /// <returns>In one line; empty: Redis answers.</returns>
    public static async Task<string> DiagnoseAsync(RedisOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        try
        {
            using ConnectionMultiplexer probe = await ConnectNowAsync(options, cancellationToken).ConfigureAwait(false);
            return string.Empty;
        }
        catch (Exception failure) when (failure is RedisException or TimeoutException)
        {
            return await WordsAsync(options, failure, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return $"{nameof(options.PasswordFile)} or {nameof(options.CertificateAuthorityFile)} cannot be read: {failure.Message}";
        }
        catch (OperationCanceledException)
        {
            return string.Empty;
        }
    }

    /// <summary>The servers that the options name, for messages.</summary>
    public static string Servers(RedisOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return string.Join(", ", ConfigurationOptions.Parse(options.Configuration).EndPoints.Select(EndPointCollection.ToString));
    }

    /// <summary>Closes a connection at once; a caller that awaits its tasks has no commands pending.</summary>
    public static void Close(ConnectionMultiplexer connection)
    {
        ArgumentNullException.ThrowIfNull(connection);
        connection.Close(allowCommandsToComplete: false);
    }

    private static async Task<ConnectionMultiplexer> ConnectNowAsync(RedisOptions options, CancellationToken cancellationToken)
    {
        ConfigurationOptions settings = Settings(options);
        settings.AbortOnConnectFail = true;
        settings.ConnectRetry = 1;
        return await ConnectionMultiplexer.ConnectAsync(settings).WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    internal static ConfigurationOptions Settings(RedisOptions options)
    {
        var settings = ConfigurationOptions.Parse(options.Configuration);
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

    private static string Keywords(string configuration) =>
        string.Join(
            ", ",
            configuration
                .Split(',')
                .Where(static part => part.Contains('=', StringComparison.Ordinal))
                .Select(static part => part[..part.IndexOf('=', StringComparison.Ordinal)].Trim())
        );

    private static async Task<string> WordsAsync(RedisOptions options, Exception failure, CancellationToken cancellationToken)
    {
        Exception cause = failure.GetBaseException();
        if (cause is RedisServerException || failure.Message.Contains("authentication failure", StringComparison.OrdinalIgnoreCase))
        {
            return $"it refuses the user or password of STREAMING__Redis__Configuration: {FirstWords(cause.Message)}";
        }

        // The client says only that it could not connect.
        string reason = await RedisReach.DescribeAsync(options, cancellationToken).ConfigureAwait(false);
        return reason.Length > 0 ? reason : FirstWords(cause.Message);
    }

    /// <summary>The beginning of a message: the client's own go on with its settings and counters.</summary>
    public static string FirstWords(string message)
    {
        ArgumentNullException.ThrowIfNull(message);
        const int most = 200;
        string first = message.Split(['\r', '\n', ';'], 2)[0];
        return first.Length > most ? first[..most] + "…" : first;
    }

    /// <summary>Accepts only an additional authority: name, dates and signatures must still be valid.</summary>
    private static bool IsTrusted(
        X509Certificate? certificate,
        X509Chain? presented,
        SslPolicyErrors problems,
        X509Certificate2Collection trusted
    )
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
