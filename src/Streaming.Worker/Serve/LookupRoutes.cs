using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Streaming.Worker.Http;

namespace Streaming.Worker.Serve;

/// <summary>
/// Lookups of items over HTTP: GET /items/{id}?width=, POST /items (a JSON list of ids), GET
/// /items/{id}/neighbours?width=&amp;count=&amp;shortlist=.
/// </summary>
public static class LookupRoutes
{
    /// <summary>The most neighbours of an answer.</summary>
    internal const int MostNeighbours = 100;

    /// <summary>How many neighbours are answered unless the request says.</summary>
    internal const int OrdinaryNeighbours = 10;

    /// <summary>Adds the routes.</summary>
    public static void Map(IEndpointRouteBuilder routes, Lookups lookups, HttpOptions options)
    {
        routes.MapRead("/items/{id}", RouteAnswers.Answer(context => OneAsync(context, lookups), "width"));
        routes.MapPost("/items", RouteAnswers.Answer(context => ManyAsync(context, lookups, options), "width"));
        routes.MapRead(
            "/items/{id}/neighbours",
            RouteAnswers.Answer(context => NeighboursAsync(context, lookups), "width", "count", "shortlist")
        );
    }

    private static async Task<object> OneAsync(HttpContext context, Lookups lookups)
    {
        string id = RouteAnswers.Id(context);
        ServedItems served = lookups.Take(context);
        ItemLookup found = (await lookups.VectorsAsync(served, [id], Width(context, served), context.RequestAborted).ConfigureAwait(false))[
            0
        ];
        return found.Vector ?? throw Absent(id, found.Refused);
    }

    private static async Task<object> ManyAsync(HttpContext context, Lookups lookups, HttpOptions options)
    {
        string allowed = $"the body must be a JSON list of 1 to {options.MaxItems} item ids";
        string[] ids = RouteAnswers.ItemIds(
            await RouteAnswers.BodyAsync(context, allowed).ConfigureAwait(false),
            1,
            options.MaxItems,
            allowed
        );
        ServedItems served = lookups.Take(context);
        IReadOnlyList<ItemLookup> found = await lookups
            .VectorsAsync(served, ids, Width(context, served), context.RequestAborted)
            .ConfigureAwait(false);
        return new
        {
            items = found.Select(static item => item.Vector).OfType<ItemVector>(),
            missing = ids.Where((_, i) => found[i] is { Vector: null, Refused: null }),
            refused = found.Any(static item => item.Refused is not null)
                ? ids.Zip(found)
                    .Where(static pair => pair.Second.Refused is not null)
                    .Select(static pair => new { item = pair.First, reason = pair.Second.Refused })
                : null,
        };
    }

    private static async Task<object> NeighboursAsync(HttpContext context, Lookups lookups)
    {
        string id = RouteAnswers.Id(context);
        ServedItems served = lookups.Take(context);
        int width = Width(context, served);
        int count = RouteAnswers.Number(context, "count", OrdinaryNeighbours, 1, MostNeighbours);
        int shortlist = RouteAnswers.Number(context, "shortlist", served.Options.Shortlist, 0, RouteAnswers.MostShortlist);
        (IReadOnlyList<NearItem>? neighbours, string? refused) = await lookups
            .NeighboursAsync(served, id, width, count, shortlist, context.RequestAborted)
            .ConfigureAwait(false);
        return new
        {
            item = id,
            title = lookups.TitleOf(id),
            width,
            neighbours = neighbours ?? throw Absent(id, refused),
        };
    }

    private static int Width(HttpContext context, ServedItems served) =>
        RouteAnswers.Number(context, "width", served.View.Width, 1, served.View.Width);

    /// <summary>Why an item has no answer: it has no embedding, or its stored value was refused.</summary>
    internal static LookupException Absent(string id, string? refused) =>
        refused is null
            ? new LookupException(StatusCodes.Status404NotFound, $"item \"{id}\" has no embedding")
            : new LookupException(StatusCodes.Status502BadGateway, $"the embedding of item \"{id}\" cannot be read: {refused}");
}
