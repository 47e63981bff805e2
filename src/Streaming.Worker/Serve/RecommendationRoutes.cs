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
/// list of item ids, oldest first, for tiers that keep their own sessions, or from {"items": […], "exclude": […]} and rules. Both take
/// width=, count=, exclude-seen=, exclude= (any number of times), counts= (false: by the vector alone), shortlist= and the rules of
/// <see cref="ItemRules"/>; the first also session= (any number of times), the user's newest items.
/// </summary>
public static class RecommendationRoutes
{
    /// <summary>The most recommendations of an answer.</summary>
    internal const int Most = 1000;

    /// <summary>How many are answered unless the request says.</summary>
    internal const int Ordinary = 20;

    private static readonly string[] Parameters =
    [
        "width",
        "count",
        "exclude-seen",
        "exclude",
        "counts",
        "shortlist",
        .. ItemRules.Parameters,
    ];

    /// <summary>Adds the routes.</summary>
    public static void Map(IEndpointRouteBuilder routes, ServedGenerations generations, HttpOptions options)
    {
        routes.MapRead(
            "/users/{id}/recommendations",
            RouteAnswers.Answer(
                context => ForUserAsync(context, generations, options),
                [.. Parameters, "session", RouteAnswers.GenerationParameter]
            )
        );
        routes.MapPost(
            "/recommendations",
            RouteAnswers.Answer(context => ForItemsAsync(context, generations, options), [.. Parameters, RouteAnswers.GenerationParameter])
        );
    }

    private static async Task<object> ForUserAsync(HttpContext context, ServedGenerations generations, HttpOptions options)
    {
        string user = RouteAnswers.Id(context);
        ServedItems served = generations.Take(context, user, RouteAnswers.Generation(context));
        RecommendationQuery query = Query(context, served, options, [], body: null) with
        {
            Session = RouteAnswers.Ids(context, "session", options),
        };
        return Answer(
            served,
            user,
            query,
            await served.Lookups.Recommender.ForUserAsync(user, query, context.RequestAborted).ConfigureAwait(false)
        );
    }

    private static async Task<object> ForItemsAsync(HttpContext context, ServedGenerations generations, HttpOptions options)
    {
        string allowed =
            $"the body must be a JSON list of 0 to {options.MaxItems} item ids, or an object with such lists named items and exclude, and "
            + string.Join(", ", ItemRules.Properties);
        JsonElement body = await RouteAnswers.BodyAsync(context, allowed).ConfigureAwait(false);
        (JsonElement items, JsonElement? exclude) = Parts(body, allowed);
        string[] history = RouteAnswers.ItemIds(items, 0, options.MaxItems, allowed);
        ServedItems served = generations.Take(context, null, RouteAnswers.Generation(context));
        RecommendationQuery query = Query(
            context,
            served,
            options,
            exclude is { } list ? RouteAnswers.ItemIds(list, 0, options.MaxItems, allowed) : [],
            body
        );
        return Answer(
            served,
            null,
            query,
            await served.Lookups.Recommender.ForItemsAsync(history, query, context.RequestAborted).ConfigureAwait(false)
        );
    }

    private static (JsonElement Items, JsonElement? Exclude) Parts(JsonElement body, string allowed)
    {
        if (body.ValueKind != JsonValueKind.Object)
        {
            return (body, null);
        }

        return
            body.EnumerateObject().All(static part => part.Name is "items" or "exclude" || ItemRules.Properties.Contains(part.Name))
            && body.TryGetProperty("items", out JsonElement items)
            ? (items, body.TryGetProperty("exclude", out JsonElement exclude) ? exclude : null)
            : throw LookupException.Wrong(allowed);
    }

    /// <summary>What the parameters ask for.</summary>
    internal static RecommendationQuery Query(
        HttpContext context,
        ServedItems served,
        HttpOptions options,
        string[] exclude,
        JsonElement? body
    )
    {
        var rules = ItemRules.Of(context, body);
        return new RecommendationQuery
        {
            View = served.View,
            Width = Width(context, served.View),
            Count = RouteAnswers.Number(context, "count", Ordinary, 1, Most),
            ExcludeSeen = RouteAnswers.Flag(context, "exclude-seen", ordinarily: true),
            Exclude = [.. exclude, .. RouteAnswers.Ids(context, "exclude", options)],
            Counts = RouteAnswers.Flag(context, "counts", ordinarily: true),
            Shortlist = RouteAnswers.Number(context, "shortlist", served.Options.Shortlist, 0, RouteAnswers.MostShortlist),
            Filter = rules.Filter,
            Boosts = rules.Boosts,
            Diversity = rules.Diversity,
        };
    }

    private static object Answer(ServedItems served, string? user, RecommendationQuery query, Recommendation? shown)
    {
        if (shown is null)
        {
            throw NoTower(query);
        }

        return new
        {
            user,
            width = query.Width,
            generation = shown.Model.Generation,
            step = shown.Model.Step,
            ranking = RouteAnswers.Ranking(shown.IsFused),
            newUser = shown.IsNewUser,
            history = shown.History.Select(item => new { item, title = served.Lookups.TitleOf(item) }),
            recommendations = shown.Items.Select(item => served.Lookups.Near(served.View, item.Id, item.Score)),
        };
    }

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
