using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Streaming.Serving.Recommendations;
using Streaming.Serving.Search;
using Streaming.Worker.Http;

namespace Streaming.Worker.Serve;

/// <summary>
/// Recommendations over HTTP: GET /users/{id}/recommendations from the user's recent history; POST /recommendations from a JSON
/// list of item ids, oldest first, for tiers that keep their own sessions, or from {"items": […], "exclude": […]}. Both take width=,
/// count=, exclude-seen=, exclude= (any number of times), counts= (false: by the vector alone) and shortlist=.
/// </summary>
public static class RecommendationRoutes
{
    /// <summary>The most recommendations of an answer.</summary>
    internal const int Most = 1000;

    /// <summary>How many are answered unless the request says.</summary>
    internal const int Ordinary = 20;

    private static readonly string[] Parameters = ["width", "count", "exclude-seen", "exclude", "counts", "shortlist"];

    /// <summary>Adds the routes.</summary>
    public static void Map(IEndpointRouteBuilder routes, Lookups lookups, HttpOptions options)
    {
        routes.MapRead("/users/{id}/recommendations", RouteAnswers.Answer(context => ForUserAsync(context, lookups, options), Parameters));
        routes.MapPost("/recommendations", RouteAnswers.Answer(context => ForItemsAsync(context, lookups, options), Parameters));
    }

    private static async Task<object> ForUserAsync(HttpContext context, Lookups lookups, HttpOptions options)
    {
        string user = RouteAnswers.Id(context);
        RecommendationQuery query = Query(context, lookups, options, []);
        return Answer(
            lookups,
            user,
            query,
            await lookups.Recommender.ForUserAsync(user, query, context.RequestAborted).ConfigureAwait(false)
        );
    }

    private static async Task<object> ForItemsAsync(HttpContext context, Lookups lookups, HttpOptions options)
    {
        string allowed =
            $"the body must be a JSON list of 0 to {options.MaxItems} item ids, or an object with such lists named items and exclude";
        JsonElement body = await RouteAnswers.BodyAsync(context, allowed).ConfigureAwait(false);
        (JsonElement items, JsonElement? exclude) = Parts(body, allowed);
        string[] history = RouteAnswers.ItemIds(items, 0, options.MaxItems, allowed);
        RecommendationQuery query = Query(
            context,
            lookups,
            options,
            exclude is { } list ? RouteAnswers.ItemIds(list, 0, options.MaxItems, allowed) : []
        );
        return Answer(
            lookups,
            null,
            query,
            await lookups.Recommender.ForItemsAsync(history, query, context.RequestAborted).ConfigureAwait(false)
        );
    }

    private static (JsonElement Items, JsonElement? Exclude) Parts(JsonElement body, string allowed)
    {
        if (body.ValueKind != JsonValueKind.Object)
        {
            return (body, null);
        }

        return
            body.EnumerateObject().All(static part => part.Name is "items" or "exclude")
            && body.TryGetProperty("items", out JsonElement items)
            ? (items, body.TryGetProperty("exclude", out JsonElement exclude) ? exclude : null)
            : throw LookupException.Wrong(allowed);
    }

    private static RecommendationQuery Query(HttpContext context, Lookups lookups, HttpOptions options, string[] exclude)
    {
        ServedItems served = lookups.Take(context);
        string[] named = [.. context.Request.Query["exclude"].OfType<string>()];
        return named.Length <= options.MaxItems
            ? new RecommendationQuery
            {
                Width = Width(context, served.View),
                Count = RouteAnswers.Number(context, "count", Ordinary, 1, Most),
                ExcludeSeen = RouteAnswers.Flag(context, "exclude-seen", ordinarily: true),
                Exclude = [.. exclude, .. named],
                Counts = RouteAnswers.Flag(context, "counts", ordinarily: true),
                Shortlist = RouteAnswers.Number(context, "shortlist", served.Options.Shortlist, 0, RouteAnswers.MostShortlist),
            }
            : throw LookupException.Wrong($"exclude is given {named.Length} times; allowed: up to {options.MaxItems}");
    }

    private static object Answer(Lookups lookups, string? user, RecommendationQuery query, Recommendation? shown) =>
        shown is null
            ? throw NoTower(query)
            : new
            {
                user,
                width = query.Width,
                generation = shown.Model.Generation,
                step = shown.Model.Step,
                ranking = shown.IsFused ? "fused" : "vector",
                history = shown.History.Select(item => new { item, title = lookups.TitleOf(item) }),
                recommendations = shown.Items.Select(item => new NearItem(item.Id, lookups.TitleOf(item.Id), Math.Round(item.Score, 4))),
            };

    /// <summary>Nobody can be recommended anything yet.</summary>
    internal static LookupException NoTower(RecommendationQuery query) =>
        LookupException.Unavailable($"no user tower of width {query.Width} is published yet");

    /// <summary>Towers exist only at the model's own widths; other widths are refused.</summary>
    internal static int TowerWidth(int width, IndexView view) =>
        view.Widths.Contains(width)
            ? width
            : throw LookupException.Wrong($"width is \"{width}\"; allowed: {string.Join(", ", view.Widths)}");

    private static int Width(HttpContext context, IndexView view) =>
        TowerWidth(RouteAnswers.Number(context, "width", view.Width, 1, view.Width), view);
}
