using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Streaming.Core.Embeddings;
using Streaming.Core.Items;
using Streaming.Serving.Filters;
using Streaming.Serving.Search;
using Streaming.Worker.Http;

namespace Streaming.Worker.Serve;

/// <summary>
/// Items without a user over HTTP: GET /popular (recent=true: of late) and /latest, with count=, exclude= and a filter
/// (<see cref="ItemRules"/>); GET /attributes, what can be filtered by.
/// </summary>
public static class ListRoutes
{
    /// <summary>The most items of an answer.</summary>
    internal const int MostItems = 1000;

    /// <summary>How many are answered unless the request says.</summary>
    internal const int Ordinary = 20;

    /// <summary>The most values of an attribute that are named.</summary>
    private const int MostValues = 20;

    private static readonly string[] Parameters = ["count", "exclude", .. ItemRules.FilterParameters];

    /// <summary>Adds the routes.</summary>
    public static void Map(IEndpointRouteBuilder routes, ServedGenerations generations, HttpOptions options)
    {
        routes.MapRead(
            "/popular",
            RouteAnswers.Answer(
                context => ListAsync(context, generations, options, Popular(RouteAnswers.Flag(context, "recent", ordinarily: false))),
                [.. Parameters, "recent", RouteAnswers.GenerationParameter]
            )
        );
        routes.MapRead(
            "/latest",
            RouteAnswers.Answer(
                context => ListAsync(context, generations, options, Latest),
                [.. Parameters, RouteAnswers.GenerationParameter]
            )
        );
        routes.MapRead(
            "/attributes",
            RouteAnswers.Answer(context => Task.FromResult(Attributes(Take(generations, context).View)), RouteAnswers.GenerationParameter)
        );
    }

    /// <summary>Fills a span with the first items of an order that a filter admits.</summary>
    internal delegate int Lister(IndexView view, ItemFilter? filter, Span<Neighbour> best);

    /// <summary>The items with the most events, of late or ever.</summary>
    internal static Lister Popular(bool recent) =>
        recent
            ? static (view, filter, best) => view.PopularOfLate(filter, best)
            : static (view, filter, best) => view.Popular(filter, best);

    /// <summary>The items that became known last.</summary>
    internal static int Latest(IndexView view, ItemFilter? filter, Span<Neighbour> best) => view.Latest(filter, best);

    /// <summary>The first items of an order, without some.</summary>
    internal static IEnumerable<ListedItem> First(
        ServedItems served,
        Lister list,
        ItemFilter? filter,
        int count,
        IEnumerable<string> exclude
    )
    {
        IndexView view = served.View;
        HashSet<string> without = [.. exclude];
        var best = new Neighbour[count + without.Count];
        int found = list(view, filter, best);
        return best.Take(found)
            .Where(item => !without.Contains(item.Id))
            .Take(count)
            .Select(item => new ListedItem(item.Id, served.Lookups.TitleOf(item.Id), view.EventsOf(RedisKeys.Hash(item.Id))));
    }

    private static Task<object> ListAsync(HttpContext context, ServedGenerations generations, HttpOptions options, Lister list)
    {
        ServedItems served = Take(generations, context);
        int count = RouteAnswers.Number(context, "count", Ordinary, 1, MostItems);
        string[] exclude = RouteAnswers.Ids(context, "exclude", options);
        return Task.FromResult<object>(
            new { generation = served.View.Generation, items = First(served, list, ItemRules.Of(context).Filter, count, exclude) }
        );
    }

    private static ServedItems Take(ServedGenerations generations, HttpContext context) =>
        generations.Take(context, null, RouteAnswers.Generation(context));

    private static object Attributes(IndexView view) =>
        new
        {
            generation = view.Generation,
            attributes = view.Attributes.Select(attribute => new
            {
                field = attribute.Name,
                kind = attribute.Kind.ToString().ToLowerInvariant(),
                items = view.ItemsWith(attribute.Name),
                values = attribute.Kind == AttributeKind.Number
                    ? null
                    : view.CommonValues(attribute.Name, MostValues).Select(static value => new { value = value.Text, items = value.Items }),
                range = view.RangeOf(attribute.Name) is (double least, double greatest) ? new { from = least, to = greatest } : null,
            }),
        };
}
