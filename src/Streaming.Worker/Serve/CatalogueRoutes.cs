using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Streaming.Serving.Filters;
using Streaming.Serving.Search;
using Streaming.Worker.Http;

namespace Streaming.Worker.Serve;

/// <summary>What items there are, over HTTP: GET /items?search=&amp;count= finds some by title or id; without search=, a random
/// sample, drawn by seed=. Both take a filter (<see cref="ItemRules"/>).</summary>
public static class CatalogueRoutes
{
    /// <summary>The most items of an answer.</summary>
    internal const int Most = 100;

    /// <summary>How many are answered unless the request says.</summary>
    internal const int Ordinary = 20;

    /// <summary>The longest text to search for, in characters.</summary>
    internal const int LongestText = 200;

    private const int ItemsPerCheck = 10_000;

    /// <summary>Adds the route.</summary>
    public static void Map(IEndpointRouteBuilder routes, ServedGenerations generations) =>
        routes.MapRead(
            "/items",
            RouteAnswers.Answer(
                context => Task.FromResult(Find(context, generations)),
                ["search", "count", "seed", .. ItemRules.FilterParameters, RouteAnswers.GenerationParameter]
            )
        );

    private static object Find(HttpContext context, ServedGenerations generations)
    {
        int count = RouteAnswers.Number(context, "count", Ordinary, 1, Most);
        string text = context.Request.Query["search"].ToString();
        if (text.Length > LongestText)
        {
            throw LookupException.Wrong($"search has {text.Length} characters; allowed: up to {LongestText}");
        }

        ItemFilter? filter = ItemRules.Of(context).Filter;
        ServedItems served = generations.Take(context, null, RouteAnswers.Generation(context));
        (Lookups lookups, IndexView view) = (served.Lookups, served.View);
        return new
        {
            items = string.IsNullOrWhiteSpace(text)
                ? Sample(view, filter, count, RouteAnswers.Number(context, "seed", 0, 0, int.MaxValue))
                    .Select(id => new NamedItem(id, lookups.TitleOf(id)))
                : Search(view, filter, lookups, text, count, context.RequestAborted),
        };
    }

    /// <summary>Items of random places: neighbours in the index came at about the same time, so each is drawn by itself.</summary>
    private static HashSet<string> Sample(IndexView view, ItemFilter? filter, int count, int seed)
    {
        var random = new Random(seed);
        HashSet<string> items = [];
        for (int i = 0; i < count; i++)
        {
            // One that is drawn already is passed over for the next.
            if (view.Ids(random.NextDouble(), filter).FirstOrDefault(id => !items.Contains(id)) is { } id)
            {
                items.Add(id);
            }
        }

        return items;
    }

    private static IEnumerable<NamedItem> Search(
        IndexView view,
        ItemFilter? filter,
        Lookups lookups,
        string text,
        int count,
        CancellationToken cancellationToken
    )
    {
        var search = new ItemSearch(text, count);
        int seen = 0;
        foreach (string id in view.Ids(filter: filter))
        {
            if (++seen % ItemsPerCheck == 0)
            {
                cancellationToken.ThrowIfCancellationRequested();
            }

            search.Offer(id, lookups.TitleOf(id));
        }

        return search.Found;
    }
}
