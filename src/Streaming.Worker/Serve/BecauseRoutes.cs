using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Streaming.Serving.Recommendations;
using Streaming.Worker.Http;

namespace Streaming.Worker.Serve;

/// <summary>Lists of recommendations with their reason over HTTP: GET /users/{id}/because, for each of the user's latest items those
/// similar to it. Parameters are those of recommendations, and lists=, how many.</summary>
public static class BecauseRoutes
{
    /// <summary>The most lists of an answer.</summary>
    internal const int MostLists = 10;

    /// <summary>How many lists are answered unless the request says.</summary>
    internal const int OrdinaryLists = 3;

    /// <summary>The most items of a list.</summary>
    internal const int MostItems = 100;

    /// <summary>How many items a list has unless the request says.</summary>
    internal const int OrdinaryItems = 10;

    private static readonly string[] Parameters =
    [
        "width",
        "lists",
        "count",
        "exclude-seen",
        "exclude",
        "counts",
        "shortlist",
        .. ItemRules.Parameters,
        "session",
        RouteAnswers.GenerationParameter,
    ];

    /// <summary>Adds the route.</summary>
    public static void Map(IEndpointRouteBuilder routes, ServedGenerations generations, HttpOptions options) =>
        routes.MapRead("/users/{id}/because", RouteAnswers.Answer(context => BecauseAsync(context, generations, options), Parameters));

    private static async Task<object> BecauseAsync(HttpContext context, ServedGenerations generations, HttpOptions options)
    {
        string user = RouteAnswers.Id(context);
        ServedItems served = generations.Take(context, user, RouteAnswers.Generation(context));
        RecommendationQuery query = RecommendationRoutes.Query(context, served, options, [], body: null) with
        {
            Count = RouteAnswers.Number(context, "count", OrdinaryItems, 1, MostItems),
            Session = RouteAnswers.Ids(context, "session", options),
        };
        IReadOnlyList<BecauseList> lists = await served
            .Lookups.Recommender.BecauseAsync(
                user,
                query,
                RouteAnswers.Number(context, "lists", OrdinaryLists, 1, MostLists),
                context.RequestAborted
            )
            .ConfigureAwait(false);
        return new
        {
            user,
            width = query.Width,
            generation = served.View.Generation,
            lists = lists.Select(list => new
            {
                item = list.Because,
                title = served.Lookups.TitleOf(list.Because),
                ranking = RouteAnswers.Ranking(list.IsFused),
                items = list.Items.Select(item => served.Lookups.Near(served.View, item.Id, item.Score)),
            }),
        };
    }
}
