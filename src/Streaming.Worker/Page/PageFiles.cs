using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;
using Streaming.Core.Hashing;
using Streaming.Worker.Http;

namespace Streaming.Worker.Page;

/// <summary>The page's own files. It loads nothing from other hosts, and only these scripts and styles may run.</summary>
internal static class PageFiles
{
    private const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; "
        + "form-action 'none'; frame-ancestors 'none'";

    private static readonly Dictionary<string, string> Types = new(StringComparer.Ordinal)
    {
        [".html"] = "text/html; charset=utf-8",
        [".css"] = "text/css; charset=utf-8",
        [".js"] = "text/javascript; charset=utf-8",
        [".svg"] = "image/svg+xml",
    };

    /// <summary>Adds a route for each file; page.html is at /.</summary>
    public static void Map(IEndpointRouteBuilder routes)
    {
        const string folder = "page/";
        foreach (
            string name in typeof(PageFiles)
                .Assembly.GetManifestResourceNames()
                .Where(static name => name.StartsWith(folder, StringComparison.Ordinal))
        )
        {
            byte[] file = Read(name);
            string type = Types[Path.GetExtension(name)];
            var tag = new EntityTagHeaderValue($"\"{XxHash64.Hash(file):x16}\"", isWeak: true);
            routes.MapRead(name == folder + "page.html" ? "/" : "/" + name, context => WriteAsync(context, file, type, tag));
        }
    }

    private static Task WriteAsync(HttpContext context, byte[] file, string type, EntityTagHeaderValue tag)
    {
        HttpResponse response = context.Response;
        // Titles and ids are untrusted, and addresses hold ids of users.
        response.Headers.ContentSecurityPolicy = Policy;
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers["Referrer-Policy"] = "no-referrer";
        response.GetTypedHeaders().ETag = tag;
        response.GetTypedHeaders().CacheControl = new CacheControlHeaderValue { NoCache = true };
        if (context.Request.GetTypedHeaders().IfNoneMatch.Any(known => known.Compare(tag, useStrongComparison: false)))
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return Task.CompletedTask;
        }

        response.ContentType = type;
        return response.Body.WriteAsync(file, context.RequestAborted).AsTask();
    }

    private static byte[] Read(string name)
    {
        using Stream stream = typeof(PageFiles).Assembly.GetManifestResourceStream(name)!;
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        return copy.ToArray();
    }
}
