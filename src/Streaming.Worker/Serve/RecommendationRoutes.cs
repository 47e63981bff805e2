using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Streaming.Serving;

namespace Streaming.Worker;

/// <summary>
/// Recommendations over HTTP: GET /users/{id}/recommendations by what the user did last, POST /recommendations by a JSON
/// list of item ids, oldest first, for tiers with sessions of their own. Both take width=, count= and exclude-seen=.
/// </summary>
internal static class RecommendationRoutes
{
    private const int MostRecommendations = 1000;

    /// <summary>Adds the routes.</summary>
    public static void Map(IEndpointRouteBuilder routes, Lookups lookups, HttpOptions options)
    {
        routes.MapGet("/users/{id}/recommendations", RouteAnswers.Answer(context => ForUserAsync(context, lookups)));
        routes.MapPost("/recommendations", RouteAnswers.Answer(context => ForItemsAsync(context, lookups, options)));
    }

    private static async Task<object> ForUserAsync(HttpContext context, Lookups lookups)
    {
        string user = RouteAnswers.Id(context);
        return await AnswerAsync(context, lookups, user, (recommender, width, count, without) =>
            recommender.ForUserAsync(user, width, count, without, context.RequestAborted)).ConfigureAwait(false);
    }

    private static async Task<object> ForItemsAsync(HttpContext context, Lookups lookups, HttpOptions options)
    {
        string[] items = await RouteAnswers.ItemIdsAsync(context, 0, options.MaxItems).ConfigureAwait(false);
        return await AnswerAsync(context, lookups, null, (recommender, width, count, without) =>
            recommender.ForItemsAsync(items, width, count, without, context.RequestAborted)).ConfigureAwait(false);
    }

    private static async Task<object> AnswerAsync(HttpContext context, Lookups lookups, string? user, Func<Recommender, int, int, bool, Task<Recommendation?>> recommend)
    {
        int width = await WidthAsync(context, lookups).ConfigureAwait(false);
        int count = RouteAnswers.Number(context, "count", 20, 1, MostRecommendations);
        bool excludeSeen = RouteAnswers.Flag(context, "exclude-seen", ordinarily: true);
        Recommender recommender = await lookups.RecommenderAsync(context.RequestAborted).ConfigureAwait(false);
        Recommendation shown = await recommend(recommender, width, count, excludeSeen).ConfigureAwait(false)
            ?? throw new LookupException(StatusCodes.Status503ServiceUnavailable, $"no user tower of width {width} is published yet");
        return new
        {
            user,
            width,
            generation = shown.Model.Generation,
            step = shown.Model.Step,
            history = shown.History.Select(item => new { item, title = lookups.TitleOf(item) }),
            recommendations = shown.Items.Select(item => new NearItem(item.Id, lookups.TitleOf(item.Id), Math.Round(item.Score, 4))),
        };
    }

    /// <summary>A tower exists at the model's own widths only, so no other will do.</summary>
    private static async Task<int> WidthAsync(HttpContext context, Lookups lookups)
    {
        IReadOnlyList<int> widths = await lookups.WidthsAsync(context.RequestAborted).ConfigureAwait(false);
        int width = RouteAnswers.Number(context, "width", widths[^1], 1, widths[^1]);
        return widths.Contains(width) ? width
            : throw new LookupException(StatusCodes.Status400BadRequest, $"width is \"{width}\"; allowed: {string.Join(", ", widths)}");
    }
}
