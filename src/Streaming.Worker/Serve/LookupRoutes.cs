using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Streaming.Serving.Recommendations;
using Streaming.Worker.Http;
using Streaming.Worker.Messages;

namespace Streaming.Worker.Serve;

/// <summary>
/// Lookups of items over HTTP: GET /items/{id}?width=, POST /items (a JSON list of ids), GET
/// /items/{id}/neighbours?width=&amp;count=&amp;shortlist=&amp;exclude=&amp;counts= (false: by the vector alone) and the rules of
/// <see cref="ItemRules"/>.
/// </summary>
public static class LookupRoutes
{
    /// <summary>The most neighbours of an answer.</summary>
    internal const int MostNeighbours = 100;

    /// <summary>How many neighbours are answered unless the request says.</summary>
    internal const int OrdinaryNeighbours = 10;

    /// <summary>Adds the routes.</summary>
    public static void Map(IEndpointRouteBuilder routes, ServedGenerations generations, HttpOptions options)
    {
        routes.MapRead(
            "/items/{id}",
            RouteAnswers.Answer(context => OneAsync(context, generations), "width", RouteAnswers.GenerationParameter)
        );
        routes.MapPost(
            "/items",
            RouteAnswers.Answer(context => ManyAsync(context, generations, options), "width", RouteAnswers.GenerationParameter)
        );
        routes.MapRead(
            "/items/{id}/neighbours",
            RouteAnswers.Answer(
                context => NeighboursAsync(context, generations, options),
                ["width", "count", "counts", "shortlist", "exclude", .. ItemRules.Parameters, RouteAnswers.GenerationParameter]
            )
        );
    }

    private static async Task<object> OneAsync(HttpContext context, ServedGenerations generations)
    {
        string id = RouteAnswers.Id(context);
        ServedItems served = generations.Take(context, null, RouteAnswers.Generation(context));
        ItemLookup found = (
            await served.Lookups.VectorsAsync(served, [id], Width(context, served), context.RequestAborted).ConfigureAwait(false)
        )[0];
        return found.Vector ?? throw Absent(id, found.Refused);
    }

    private static async Task<object> ManyAsync(HttpContext context, ServedGenerations generations, HttpOptions options)
    {
        string allowed = $"the body must be a JSON list of 1 to {options.MaxItems} item ids";
        string[] ids = RouteAnswers.ItemIds(
            await RouteAnswers.BodyAsync(context, allowed).ConfigureAwait(false),
            1,
            options.MaxItems,
            allowed
        );
        ServedItems served = generations.Take(context, null, RouteAnswers.Generation(context));
        IReadOnlyList<ItemLookup> found = await served
            .Lookups.VectorsAsync(served, ids, Width(context, served), context.RequestAborted)
            .ConfigureAwait(false);
        if (AcceptsProtobuf(context))
        {
            return Message(ids, found);
        }

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

    /// <summary>The answer as the message of schemas/serving.proto.</summary>
    internal static GetItemsResponse Message(IEnumerable<string> ids, IReadOnlyList<ItemLookup> found)
    {
        var answer = new GetItemsResponse();
        foreach ((string id, ItemLookup item) in ids.Zip(found))
        {
            if (item.Vector is { } vector)
            {
                var one = new Item { Id = id, Step = vector.Step };
                one.Vector.AddRange(vector.Vector);
                answer.Items.Add(one);
            }
            else if (item.Refused is { } reason)
            {
                answer.Refused.Add(new RefusedItem { Id = id, Reason = reason });
            }
            else
            {
                answer.Missing.Add(id);
            }
        }

        return answer;
    }

    /// <summary>Whether Protobuf is what the caller wants most; of equal ones the first.</summary>
    private static bool AcceptsProtobuf(HttpContext context) =>
        context.Request.GetTypedHeaders().Accept.OrderByDescending(static type => type.Quality ?? 1).FirstOrDefault() is { } wanted
        && wanted.MediaType.Equals(RouteAnswers.Protobuf, StringComparison.OrdinalIgnoreCase);

    private static async Task<object> NeighboursAsync(HttpContext context, ServedGenerations generations, HttpOptions options)
    {
        string id = RouteAnswers.Id(context);
        ServedItems served = generations.Take(context, null, RouteAnswers.Generation(context));
        int width = Width(context, served);
        int count = RouteAnswers.Number(context, "count", OrdinaryNeighbours, 1, MostNeighbours);
        int shortlist = RouteAnswers.Number(context, "shortlist", served.Options.Shortlist, 0, RouteAnswers.MostShortlist);
        var rules = ItemRules.Of(context);
        var query = new ItemQuery
        {
            Width = width,
            Count = count,
            Exclude = RouteAnswers.Ids(context, "exclude", options),
            Counts = RouteAnswers.Flag(context, "counts", ordinarily: true),
            Shortlist = shortlist,
            Filter = rules.Filter,
            Boosts = rules.Boosts,
            Diversity = rules.Diversity,
        };
        (SimilarItems? found, string? refused) = await served
            .Lookups.NeighboursAsync(served, id, query, context.RequestAborted)
            .ConfigureAwait(false);
        SimilarItems near = found ?? throw Absent(id, refused);
        return new
        {
            item = id,
            title = served.Lookups.TitleOf(id),
            width,
            ranking = RouteAnswers.Ranking(near.IsFused),
            neighbours = near.Items.Select(item => served.Lookups.Near(served.View, item.Id, item.Score)),
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
