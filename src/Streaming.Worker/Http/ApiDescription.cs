using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Scalar.AspNetCore;

namespace Streaming.Worker.Http;

/// <summary>The OpenAPI document of the lookups at /openapi.json (schemas/openapi.json), and a page for people at /docs.</summary>
public static class ApiDescription
{
    private static readonly byte[] Document = Read();

    /// <summary>Adds the routes.</summary>
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapRead("/openapi.json", static context => TypedResults.Bytes(Document, "application/json").ExecuteAsync(context));
        routes.MapScalarApiReference("/docs", static page => page.WithOpenApiRoutePattern("/openapi.json").WithTitle("Streaming"));
    }

    private static byte[] Read()
    {
        using Stream stream = typeof(ApiDescription).Assembly.GetManifestResourceStream("openapi.json")!;
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        return copy.ToArray();
    }
}
