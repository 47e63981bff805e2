using Microsoft.AspNetCore.Http;

namespace Streaming.Worker.Http;

/// <summary>What probes, scrapers and browsers fetch without a key and without limits: states and figures, the page without its data,
/// the API's description.</summary>
internal static class OpenPaths
{
    private static readonly string[] Paths = ["/", "/health/live", "/health/ready", "/metrics", "/openapi.json"];

    /// <summary>Whether a path is one of them.</summary>
    public static bool Contains(PathString path) =>
        Paths.Contains(path.Value) || path.StartsWithSegments("/docs", StringComparison.Ordinal);
}
