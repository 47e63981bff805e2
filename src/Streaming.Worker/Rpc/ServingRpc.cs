using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Streaming.Serving.Recommendations;
using Streaming.Worker.Http;
using Streaming.Worker.Serve;

namespace Streaming.Worker.Rpc;

/// <summary>Lookups and recommendations over gRPC, as schemas/serving.proto describes them.</summary>
internal sealed class ServingRpc(Lookups lookups, HttpOptions options) : EmbeddingService.EmbeddingServiceBase
{
    /// <summary>Adds what gRPC needs to a server.</summary>
    public static void AddServices(IServiceCollection services, Lookups lookups, HttpOptions options)
    {
        services.AddSingleton(new ServingRpc(lookups, options));
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
        ServedItems served = Take(context);
        IReadOnlyList<ItemLookup> found = await lookups
            .VectorsAsync(served, request.Ids, Width(request.Width, served), context.CancellationToken)
            .ConfigureAwait(false);
        var answer = new GetItemsResponse();
        foreach ((string id, ItemLookup item) in request.Ids.Zip(found))
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

    /// <inheritdoc/>
    public override async Task<GetNeighboursResponse> GetNeighbours(GetNeighboursRequest request, ServerCallContext context)
    {
        RpcCheck.Ids("id", [request.Id]);
        ServedItems served = Take(context);
        (IReadOnlyList<NearItem>? neighbours, string? refused) = await lookups
            .NeighboursAsync(
                served,
                request.Id,
                Width(request.Width, served),
                RpcCheck.Number("count", request.Count, LookupRoutes.OrdinaryNeighbours, LookupRoutes.MostNeighbours),
                Shortlist(request.HasShortlist, request.Shortlist, served),
                context.CancellationToken
            )
            .ConfigureAwait(false);
        var answer = new GetNeighboursResponse();
        answer.Items.AddRange((neighbours ?? throw LookupRoutes.Absent(request.Id, refused)).Select(Scored));
        return answer;
    }

    /// <inheritdoc/>
    public override async Task<RecommendResponse> Recommend(RecommendRequest request, ServerCallContext context)
    {
        ServedItems served = Take(context);
        RpcCheck.Count("exclude", request.Exclude.Count, 0, options.MaxItems);
        var query = new RecommendationQuery
        {
            Width = RecommendationRoutes.TowerWidth(Width(request.Width, served), served.View),
            Count = RpcCheck.Number("count", request.Count, RecommendationRoutes.Ordinary, RecommendationRoutes.Most),
            ExcludeSeen = !request.IncludeSeen,
            Exclude = request.Exclude,
            Counts = !request.VectorOnly,
            Shortlist = Shortlist(request.HasShortlist, request.Shortlist, served),
        };
        Recommendation shown =
            await RecommendAsync(request, query, context.CancellationToken).ConfigureAwait(false)
            ?? throw RecommendationRoutes.NoTower(query);
        var answer = new RecommendResponse
        {
            Ranking = shown.IsFused ? Ranking.Fused : Ranking.Vector,
            Generation = shown.Model.Generation,
            Step = shown.Model.Step,
        };
        answer.History.AddRange(shown.History);
        answer.Items.AddRange(shown.Items.Select(static item => new ScoredItem { Id = item.Id, Score = item.Score }));
        return answer;
    }

    private Task<Recommendation?> RecommendAsync(RecommendRequest request, RecommendationQuery query, CancellationToken cancellation)
    {
        switch (request.ForCase)
        {
            case RecommendRequest.ForOneofCase.User:
                RpcCheck.Ids("user", [request.User]);
                return lookups.Recommender.ForUserAsync(request.User, query, cancellation);
            case RecommendRequest.ForOneofCase.Session:
                RpcCheck.Count("session.items", request.Session.Items.Count, 0, options.MaxItems);
                RpcCheck.Ids("session.items", request.Session.Items);
                return lookups.Recommender.ForItemsAsync([.. request.Session.Items], query, cancellation);
            default:
                throw LookupException.Wrong("neither user nor session is set; allowed: one of them");
        }
    }

    private ServedItems Take(ServerCallContext context) => lookups.Take(context.GetHttpContext());

    private static int Width(int width, ServedItems served) => RpcCheck.Number("width", width, served.View.Width, served.View.Width);

    private static int Shortlist(bool isSet, int shortlist, ServedItems served) =>
        !isSet ? served.Options.Shortlist
        : shortlist == 0 ? 0
        : RpcCheck.Number("shortlist", shortlist, served.Options.Shortlist, RouteAnswers.MostShortlist);

    private static ScoredItem Scored(NearItem item) => new() { Id = item.Item, Score = (float)item.Score };
}
