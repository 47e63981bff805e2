using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Streaming.Transport.Kafka.Clients;

namespace Streaming.Transport.Kafka.Registry;

/// <summary>Asks a schema registry, with bounded answers.</summary>
/// <remarks>
/// Confluent's own client would take a certificate for any other host, too, once an authority is given, and answers of any length.
/// </remarks>
internal sealed class RegistryHttp : IDisposable
{
    private const int MostBytes = 8 << 20;
    private static readonly int[] NothingThere = [40401, 40402, 40403];

    private readonly HttpClient _client;
    private readonly Uri[] _addresses;
    private int _current;

    /// <summary>Creates a client; nothing connects before the first question.</summary>
    public RegistryHttp(RegistryOptions options)
    {
        _addresses = [.. options.Addresses.Select(static address => new Uri(address.TrimEnd('/') + "/"))];
        _client = new HttpClient(Handler(options)) { Timeout = options.Timeout, MaxResponseContentBufferSize = MostBytes };
        _client.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue("application/vnd.schemaregistry.v1+json"));
        _client.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json", 0.5));
        if (options.Username.Length > 0)
        {
            _client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
                "Basic",
                Convert.ToBase64String(Encoding.UTF8.GetBytes($"{options.Username}:{options.Password}"))
            );
        }
    }

    /// <summary>Asks, each address once, the one that answered last first.</summary>
    /// <returns>The answer; null: the registry has no such thing.</returns>
    /// <exception cref="RegistryUnavailableException">None answered.</exception>
    public async Task<JsonElement?> AskAsync(string path, CancellationToken cancellationToken)
    {
        List<string> refusals = [];
        for (int i = 0; i < _addresses.Length; i++)
        {
            int index = (_current + i) % _addresses.Length;
            try
            {
                JsonElement? answer = await AskAsync(_addresses[index], path, cancellationToken).ConfigureAwait(false);
                _current = index;
                return answer;
            }
            catch (Exception exception)
                when (exception is HttpRequestException or JsonException or RegistryUnavailableException
                    || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested)
                )
            {
                refusals.Add($"{_addresses[index].GetLeftPart(UriPartial.Path).TrimEnd('/')}: {Why(exception)}");
            }
        }

        throw new RegistryUnavailableException(string.Join("; ", refusals));
    }

    public void Dispose() => _client.Dispose();

    private async Task<JsonElement?> AskAsync(Uri address, string path, CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await _client.GetAsync(new Uri(address, path), cancellationToken).ConfigureAwait(false);
        byte[] body = await response.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false);
        if (response.IsSuccessStatusCode)
        {
            using var answer = JsonDocument.Parse(body);
            return answer.RootElement.Clone();
        }

        // Without a registry's own error a 404 is that of a proxy or of a wrong path.
        return response.StatusCode == HttpStatusCode.NotFound && NothingThere.Contains(ErrorCode(body))
            ? null
            : throw new RegistryUnavailableException(
                $"answers {(int)response.StatusCode} {response.ReasonPhrase}"
                    + (
                        response.StatusCode == HttpStatusCode.NotFound
                            ? ", which is no registry's answer: is the path right?"
                            : string.Empty
                    )
            );
    }

    private static int ErrorCode(byte[] body)
    {
        try
        {
            using var error = JsonDocument.Parse(body);
            return
                error.RootElement.ValueKind == JsonValueKind.Object
                && error.RootElement.TryGetProperty("error_code", out JsonElement code)
                && code.TryGetInt32(out int number)
                ? number
                : 0;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return 0;
        }
    }

    private static string Why(Exception exception) =>
        exception switch
        {
            OperationCanceledException => "no answer in time",
            JsonException => "the answer is not JSON",
            HttpRequestException { InnerException: { } inner } => inner.Message,
            _ => exception.Message,
        };

    private static SocketsHttpHandler Handler(RegistryOptions options)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            ConnectTimeout = options.Timeout,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        };
        try
        {
            if (options.SslCaLocation.Length > 0)
            {
                var authorities = new X509Certificate2Collection();
                authorities.ImportFromPemFile(options.SslCaLocation);
                handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy
                {
                    TrustMode = X509ChainTrustMode.CustomRootTrust,
                    RevocationMode = X509RevocationMode.NoCheck,
                };
                handler.SslOptions.CertificateChainPolicy.CustomTrustStore.AddRange(authorities);
            }

            if (options.SslCertificateLocation.Length > 0)
            {
                handler.SslOptions.ClientCertificates = [Certificate(options)];
            }
        }
        catch (CryptographicException exception)
        {
            throw new KafkaUnavailableException(
                $"The certificates or the key of the schema registry (STREAMING__Kafka__Registry__SslCaLocation, "
                    + $"SslCertificateLocation, SslKeyLocation) cannot be read: {exception.Message}",
                exception
            );
        }

        return handler;
    }

    private static X509Certificate2 Certificate(RegistryOptions options)
    {
        string? key = options.SslKeyLocation.Length > 0 ? options.SslKeyLocation : null;
        return options.SslKeyPassword.Length > 0
            ? X509Certificate2.CreateFromEncryptedPemFile(options.SslCertificateLocation, options.SslKeyPassword, key)
            : X509Certificate2.CreateFromPemFile(options.SslCertificateLocation, key);
    }
}
