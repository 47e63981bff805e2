using Microsoft.AspNetCore.Http;

namespace Streaming.Worker.Http;

/// <summary>Lets requests with an API key through, and those for which none is needed.</summary>
internal sealed class ApiKeyGate(ApiKeys keys)
{
    private const string Scheme = "Bearer ";

    /// <summary>What probes, scrapers and browsers fetch without a key: states and figures, the page without its data, the API's
    /// description.</summary>
    private static readonly string[] Open = ["/", "/health/live", "/health/ready", "/metrics", "/openapi.json"];

    /// <summary>Checks a request.</summary>
    /// <exception cref="LookupException">It has no valid key.</exception>
    public Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        PathString path = context.Request.Path;
        if (Open.Contains(path.Value) || path.StartsWithSegments("/docs", StringComparison.Ordinal))
        {
            return next(context);
        }

        string? key = Key(context.Request.Headers);
        if (key is not null && keys.Accepts(key))
        {
            return next(context);
        }

        context.Response.Headers.WWWAuthenticate = "Bearer";
        throw new LookupException(
            StatusCodes.Status401Unauthorized,
            key is null ? "an API key is required: Authorization: Bearer KEY, or X-Api-Key: KEY" : "the API key is not valid"
        );
    }

    private static string? Key(IHeaderDictionary headers)
    {
        string? bearer = headers.Authorization;
        return bearer?.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) == true
            ? bearer[Scheme.Length..].Trim()
            : headers["X-Api-Key"];
    }
}
