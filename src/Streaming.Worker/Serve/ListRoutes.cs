using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Streaming.Core.Embeddings;
using Streaming.Serving.Search;
using Streaming.Worker.Http;

namespace Streaming.Worker.Serve;

/// <summary>
/// Items without a user over HTTP: GET /popular (recent=true: of late) and /latest, with count=, exclude= and a filter
/// (<see cref="ItemRules"/>); GET /attributes, what can be filtered by.
/// </summary>
public static class ListRoutes
{
    private const int MostItems = 1000;
    private static readonly string[] Parameters = ["count", "exclude", .. ItemRules.FilterParameters];

    /// <summary>Adds the routes.</summary>
    public static void Map(IEndpointRouteBuilder routes, ServedGenerations generations, HttpOptions options)
    {
        routes.MapRead("/popular", List(generations, options, Popular, [.. Parameters, "recent", RouteAnswers.GenerationParameter]));
        routes.MapRead(
            "/latest",
            List(
                generations,
                options,
                static (_, view, rules, best) => view.Latest(rules.Filter, best),
                [.. Parameters, RouteAnswers.GenerationParameter]
            )
        );
        routes.MapRead(
            "/attributes",
            RouteAnswers.Answer(context => Task.FromResult(Attributes(Take(generations, context).View)), RouteAnswers.GenerationParameter)
        );
    }

    private delegate int Lister(HttpContext context, IndexView view, ItemRules rules, Span<Neighbour> best);

    private static RequestDelegate List(ServedGenerations generations, HttpOptions options, Lister list, string[] parameters) =>
        RouteAnswers.Answer(
            context =>
            {
                ServedItems served = Take(generations, context);
                IndexView view = served.View;
                int count = RouteAnswers.Number(context, "count", 20, 1, MostItems);
                HashSet<string> without = [.. RouteAnswers.Ids(context, "exclude", options)];
                var best = new Neighbour[count + without.Count];
                int found = list(context, view, ItemRules.Of(context), best);
                return Task.FromResult<object>(
                    new
                    {
                        generation = view.Generation,
                        items = best.Take(found)
                            .Where(item => !without.Contains(item.Id))
                            .Take(count)
                            .Select(item => new ListedItem(
                                item.Id,
                                served.Lookups.TitleOf(item.Id),
                                view.EventsOf(RedisKeys.Hash(item.Id))
                            )),
                    }
                );
            },
            parameters
        );

    private static int Popular(HttpContext context, IndexView view, ItemRules rules, Span<Neighbour> best) =>
        RouteAnswers.Flag(context, "recent", ordinarily: false) ? view.PopularOfLate(rules.Filter, best) : view.Popular(rules.Filter, best);

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
            }),
        };
}
