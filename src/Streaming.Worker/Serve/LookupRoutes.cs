using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Streaming.Worker;

/// <summary>Lookups of items over HTTP: GET /items/{id}?width=, POST /items (a JSON list of ids), GET /items/{id}/neighbours?width=&amp;count=.</summary>
internal static class LookupRoutes
{
    private const int MostNeighbours = 100;

    /// <summary>Adds the routes.</summary>
    public static void Map(IEndpointRouteBuilder routes, Lookups lookups, HttpOptions options)
    {
        routes.MapGet("/items/{id}", RouteAnswers.Answer(context => OneAsync(context, lookups)));
        routes.MapPost("/items", RouteAnswers.Answer(context => ManyAsync(context, lookups, options)));
        routes.MapGet("/items/{id}/neighbours", RouteAnswers.Answer(context => NeighboursAsync(context, lookups)));
    }

    private static async Task<object> OneAsync(HttpContext context, Lookups lookups)
    {
        string id = RouteAnswers.Id(context);
        IReadOnlyList<ItemVector?> found = await lookups.VectorsAsync([id], await WidthAsync(context, lookups).ConfigureAwait(false), context.RequestAborted).ConfigureAwait(false);
        return found[0] ?? throw NoEmbedding(id);
    }

    private static async Task<object> ManyAsync(HttpContext context, Lookups lookups, HttpOptions options)
    {
        string[] ids = await RouteAnswers.ItemIdsAsync(context, 1, options.MaxItems).ConfigureAwait(false);
        IReadOnlyList<ItemVector?> found = await lookups.VectorsAsync(ids, await WidthAsync(context, lookups).ConfigureAwait(false), context.RequestAborted).ConfigureAwait(false);
        return new { items = found.OfType<ItemVector>(), missing = ids.Where((_, i) => found[i] is null) };
    }

    private static async Task<object> NeighboursAsync(HttpContext context, Lookups lookups)
    {
        string id = RouteAnswers.Id(context);
        int width = await WidthAsync(context, lookups).ConfigureAwait(false);
        int count = RouteAnswers.Number(context, "count", 10, 1, MostNeighbours);
        IReadOnlyList<NearItem> neighbours = await lookups.NeighboursAsync(id, width, count, context.RequestAborted).ConfigureAwait(false) ?? throw NoEmbedding(id);
        return new { item = id, title = lookups.TitleOf(id), width, neighbours };
    }

    private static async Task<int> WidthAsync(HttpContext context, Lookups lookups)
    {
        IReadOnlyList<int> widths = await lookups.WidthsAsync(context.RequestAborted).ConfigureAwait(false);
        return RouteAnswers.Number(context, "width", widths[^1], 1, widths[^1]);
    }

    private static LookupException NoEmbedding(string id) => new(StatusCodes.Status404NotFound, $"item \"{id}\" has no embedding");
}
