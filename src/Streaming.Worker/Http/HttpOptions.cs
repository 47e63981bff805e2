using System.Net;
using Streaming.Core.Options;

namespace Streaming.Worker.Http;

/// <summary>Where and to whom health, metrics and lookups are served.</summary>
public sealed record HttpOptions
{
    /// <summary>Gets the IP address to listen on. Default 127.0.0.1; 0.0.0.0 for all.</summary>
    public string Address { get; init; } = "127.0.0.1";

    /// <summary>Gets the port. Default 8080; 1 … 65535, 0 for any free one, which the log names, −1 for no HTTP at all.</summary>
    public int Port { get; init; } = 8080;

    /// <summary>Gets the port of lookups over gRPC (schemas/serving.proto), at the same address. Default −1: none; 1 … 65535, 0 for any
    /// free one, which the log names.</summary>
    public int GrpcPort { get; init; } = -1;

    /// <summary>Gets the most items of one request. Default 1,000; 1 … 100,000.</summary>
    public int MaxItems { get; init; } = 1_000;

    /// <summary>Gets how many requests are answered at once; more are refused with 503 and Retry-After. Default 1,000; 0 for no limit,
    /// up to 1,000,000.</summary>
    public int MaxConcurrentRequests { get; init; } = 1_000;

    /// <summary>Gets how many requests per second each caller may send, an API key or else an address, with bursts of twice as many; more
    /// are refused with 429 and Retry-After. Default 0: no limit; 0 … 1,000,000.</summary>
    public int RequestsPerSecond { get; init; }

    /// <summary>
    /// Gets the file of the API keys that lookups require, one per line, as `Authorization: Bearer KEY` or `X-Api-Key: KEY`. Default
    /// empty: none is required. Health, metrics and the page itself never require one. A changed file is read again, so that keys can be
    /// rotated without a restart.
    /// </summary>
    public string ApiKeyFile { get; init; } = string.Empty;

    /// <summary>Gets the origins whose pages may call the lookups from a browser (CORS), such as https://shop.example. Default empty:
    /// none; * for all.</summary>
    public IReadOnlyList<string> CorsOrigins { get; init; } = [];

    /// <summary>Checks every property.</summary>
    /// <exception cref="OptionsException">Names every property that is wrong, its value and what is allowed.</exception>
    public void Validate()
    {
        var errors = new OptionErrors();
        errors.Check(IPAddress.TryParse(Address, out _), nameof(Address), Address, "an IP address such as 127.0.0.1 or 0.0.0.0");
        errors.Range(nameof(Port), Port, -1, 65535);
        errors.Range(nameof(GrpcPort), GrpcPort, -1, 65535);
        errors.Check(GrpcPort <= 0 || GrpcPort != Port, nameof(GrpcPort), GrpcPort, "another port than STREAMING__Http__Port");
        errors.Range(nameof(MaxItems), MaxItems, 1, 100_000);
        errors.Range(nameof(MaxConcurrentRequests), MaxConcurrentRequests, 0, 1_000_000);
        errors.Range(nameof(RequestsPerSecond), RequestsPerSecond, 0, 1_000_000);
        if (ApiKeyFile.Length > 0)
        {
            string? fault = ApiKeys.Fault(ApiKeyFile);
            errors.Check(fault is null, nameof(ApiKeyFile), ApiKeyFile, $"a readable file of {ApiKeys.Allowed} ({fault})");
        }

        errors.Check(CorsOrigins.All(IsOrigin), nameof(CorsOrigins), CorsOrigins, "origins such as https://shop.example:8443, or *");
        errors.Throw();
    }

    // As browsers write it: no path, no slash at the end.
    private static bool IsOrigin(string text) =>
        text == "*"
        || (
            Uri.TryCreate(text, UriKind.Absolute, out Uri? uri)
            && (uri.Scheme == Uri.UriSchemeHttp || uri.Scheme == Uri.UriSchemeHttps)
            && uri.GetLeftPart(UriPartial.Authority) == text
        );
}
