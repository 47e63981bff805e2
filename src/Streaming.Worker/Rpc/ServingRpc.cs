using Google.Protobuf.Collections;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Streaming.Core.Embeddings;
using Streaming.Serving.Recommendations;
using Streaming.Serving.Search;
using Streaming.Worker.Http;
using Streaming.Worker.Messages;
using Streaming.Worker.Serve;

namespace Streaming.Worker.Rpc;

/// <summary>Lookups and recommendations over gRPC, as schemas/serving.proto describes them.</summary>
internal sealed class ServingRpc(ServedGenerations generations, HttpOptions options) : EmbeddingService.EmbeddingServiceBase
{
    /// <summary>Adds what gRPC needs to a server.</summary>
    public static void AddServices(IServiceCollection services, ServedGenerations generations, HttpOptions options)
    {
        services.AddSingleton(new ServingRpc(generations, options));
        services.AddGrpc(grpc =>
        {
            grpc.MaxReceiveMessageSize = (int)Math.Min(HttpEndpoint.MostBody(options), int.MaxValue);
            grpc.Interceptors.Add<RpcErrors>();
        });
    }

    /// <summary>Adds the routes.</summary>
    public static void Map(IEndpointRouteBuilder routes) => routes.MapGrpcService<ServingRpc>();

    /// <inheritdoc/>
    public override async Task<GetItemsResponse> GetItems(GetItemsRequest request, ServerCallContext context)
    {
        RpcCheck.Count("ids", request.Ids.Count, 1, options.MaxItems);
        RpcCheck.Ids("ids", request.Ids);
        ServedItems served = Take(context, string.Empty, request.Generation);
        IReadOnlyList<ItemLookup> found = await served
            .Lookups.VectorsAsync(served, request.Ids, Width(request.Width, served), context.CancellationToken)
            .ConfigureAwait(false);
        return LookupRoutes.Message(request.Ids, found);
    }

    /// <inheritdoc/>
    public override async Task<GetNeighboursResponse> GetNeighbours(GetNeighboursRequest request, ServerCallContext context)
    {
        RpcCheck.Ids("id", [request.Id]);
        RpcCheck.Count("exclude", request.Exclude.Count, 0, options.MaxItems);
        ServedItems served = Take(context, string.Empty, request.Generation);
        ItemRules rules = Rules(request.Rules);
        var query = new ItemQuery
        {
            Width = Width(request.Width, served),
            Count = RpcCheck.Number("count", request.Count, LookupRoutes.OrdinaryNeighbours, LookupRoutes.MostNeighbours),
            Exclude = request.Exclude,
            Counts = !request.VectorOnly,
            Shortlist = Shortlist(request.HasShortlist, request.Shortlist, served),
            Filter = rules.Filter,
            Boosts = rules.Boosts,
            Diversity = rules.Diversity,
        };
        (SimilarItems? found, string? refused) = await served
            .Lookups.NeighboursAsync(served, request.Id, query, context.CancellationToken)
            .ConfigureAwait(false);
        SimilarItems near = found ?? throw LookupRoutes.Absent(request.Id, refused);
        var answer = new GetNeighboursResponse { Ranking = RankingOf(near.IsFused) };
        answer.Items.AddRange(near.Items.Select(item => Scored(served.View, item)));
        return answer;
    }

    /// <inheritdoc/>
    public override async Task<RecommendResponse> Recommend(RecommendRequest request, ServerCallContext context)
    {
        ServedItems served = Take(context, request.User, request.Generation);
        CheckIds(request.Exclude, request.Session);
        RecommendationQuery query = Query(request.Rules, request.Width, request.HasShortlist, request.Shortlist, served) with
        {
            Count = RpcCheck.Number("count", request.Count, RecommendationRoutes.Ordinary, RecommendationRoutes.Most),
            ExcludeSeen = !request.IncludeSeen,
            Session = request.Session,
            Exclude = request.Exclude,
            Counts = !request.VectorOnly,
        };
        Task<Recommendation?> recommending =
            request.User.Length > 0
                ? served.Lookups.Recommender.ForUserAsync(request.User, query, context.CancellationToken)
                : served.Lookups.Recommender.ForItemsAsync(request.Session, query, context.CancellationToken);
        Recommendation shown = await recommending.ConfigureAwait(false) ?? throw RecommendationRoutes.NoTower(query);
        var answer = new RecommendResponse
        {
            Ranking = RankingOf(shown.IsFused),
            Generation = shown.Model.Generation,
            Step = shown.Model.Step,
            NewUser = shown.IsNewUser,
        };
        answer.History.AddRange(shown.History);
        answer.Items.AddRange(shown.Items.Select(item => Scored(served.View, item)));
        return answer;
    }

    /// <inheritdoc/>
    public override async Task<RecommendBecauseResponse> RecommendBecause(RecommendBecauseRequest request, ServerCallContext context)
    {
        RpcCheck.Ids("user", [request.User]);
        ServedItems served = Take(context, request.User, request.Generation);
        CheckIds(request.Exclude, request.Session);
        RecommendationQuery query = Query(request.Rules, request.Width, request.HasShortlist, request.Shortlist, served) with
        {
            Count = RpcCheck.Number("count", request.Count, BecauseRoutes.OrdinaryItems, BecauseRoutes.MostItems),
            ExcludeSeen = !request.IncludeSeen,
            Session = request.Session,
            Exclude = request.Exclude,
            Counts = !request.VectorOnly,
        };
        int lists = RpcCheck.Number("lists", request.Lists, BecauseRoutes.OrdinaryLists, BecauseRoutes.MostLists);
        var answer = new RecommendBecauseResponse { Generation = served.View.Generation };
        foreach (
            Streaming.Serving.Recommendations.BecauseList found in await served
                .Lookups.Recommender.BecauseAsync(request.User, query, lists, context.CancellationToken)
                .ConfigureAwait(false)
        )
        {
            var list = new Messages.BecauseList { Because = found.Because, Ranking = RankingOf(found.IsFused) };
            list.Items.AddRange(found.Items.Select(item => Scored(served.View, item)));
            answer.Lists.Add(list);
        }

        return answer;
    }

    /// <inheritdoc/>
    public override Task<ListPopularResponse> ListPopular(ListPopularRequest request, ServerCallContext context)
    {
        ServedItems served = Take(context, string.Empty, request.Generation);
        var answer = new ListPopularResponse();
        answer.Items.AddRange(List(served, ListRoutes.Popular(request.Recent), request.Count, request.Exclude, request.Rules));
        return Task.FromResult(answer);
    }

    /// <inheritdoc/>
    public override Task<ListLatestResponse> ListLatest(ListLatestRequest request, ServerCallContext context)
    {
        ServedItems served = Take(context, string.Empty, request.Generation);
        var answer = new ListLatestResponse();
        answer.Items.AddRange(List(served, ListRoutes.Latest, request.Count, request.Exclude, request.Rules));
        return Task.FromResult(answer);
    }

    private IEnumerable<Messages.ListedItem> List(
        ServedItems served,
        ListRoutes.Lister list,
        int count,
        RepeatedField<string> exclude,
        Rules? rules
    )
    {
        RpcCheck.Count("exclude", exclude.Count, 0, options.MaxItems);
        ItemRules read = Rules(rules);
        if (read.Boosts.Count > 0 || read.Diversity is not null)
        {
            throw LookupException.Wrong("rules has a boost or diversify, which a list does not have; allowed: filter, any, not");
        }

        int most = RpcCheck.Number("count", count, ListRoutes.Ordinary, ListRoutes.MostItems);
        return ListRoutes
            .First(served, list, read.Filter, most, exclude)
            .Select(static item => new Messages.ListedItem { Id = item.Item, Events = item.Events });
    }

    private void CheckIds(RepeatedField<string> exclude, RepeatedField<string> session)
    {
        RpcCheck.Count("exclude", exclude.Count, 0, options.MaxItems);
        RpcCheck.Count("session", session.Count, 0, options.MaxItems);
        RpcCheck.Ids("session", session);
    }

    private static RecommendationQuery Query(Rules? rules, int width, bool hasShortlist, int shortlist, ServedItems served)
    {
        ItemRules read = Rules(rules);
        return new RecommendationQuery
        {
            View = served.View,
            Width = RecommendationRoutes.TowerWidth(Width(width, served), served.View),
            Shortlist = Shortlist(hasShortlist, shortlist, served),
            Filter = read.Filter,
            Boosts = read.Boosts,
            Diversity = read.Diversity,
        };
    }

    private ServedItems Take(ServerCallContext context, string user, uint generation) =>
        generations.Take(context.GetHttpContext(), user.Length > 0 ? user : null, generation);

    private static int Width(int width, ServedItems served) => RpcCheck.Number("width", width, served.View.Width, served.View.Width);

    private static int Shortlist(bool isSet, int shortlist, ServedItems served) =>
        !isSet ? served.Options.Shortlist
        : shortlist == 0 ? 0
        : RpcCheck.Number("shortlist", shortlist, served.Options.Shortlist, RouteAnswers.MostShortlist);

    private static ItemRules Rules(Rules? rules) =>
        ItemRules.Of(
            name =>
                rules is null
                    ? []
                    : name switch
                    {
                        "filter" => rules.Filter,
                        "any" => rules.Any,
                        "not" => rules.Not,
                        "boost" => rules.Boost,
                        _ => rules.Diversify.Length > 0 ? [rules.Diversify] : [],
                    },
            body: null
        );

    private static Ranking RankingOf(bool isFused) => isFused ? Ranking.Fused : Ranking.Vector;

    private static ScoredItem Scored(IndexView view, Neighbour item) =>
        new()
        {
            Id = item.Id,
            Score = item.Score,
            Cold = view.IsCold(RedisKeys.Hash(item.Id)),
        };
}
