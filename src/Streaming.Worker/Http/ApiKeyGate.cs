using Microsoft.AspNetCore.Http;

namespace Streaming.Worker.Http;

/// <summary>Lets requests with an API key through, and those for which none is needed.</summary>
internal sealed class ApiKeyGate(ApiKeys keys)
{
    private const string Scheme = "Bearer ";

    /// <summary>Checks a request.</summary>
    /// <exception cref="LookupException">It has no valid key.</exception>
    public Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        if (OpenPaths.Contains(context.Request.Path))
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

    /// <summary>The key that a request brings, or null.</summary>
    public static string? Key(IHeaderDictionary headers)
    {
        string? bearer = headers.Authorization;
        return bearer?.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) == true
            ? bearer[Scheme.Length..].Trim()
            : headers["X-Api-Key"];
    }
}
