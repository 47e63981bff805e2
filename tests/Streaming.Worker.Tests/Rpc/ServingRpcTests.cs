using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.Extensions.Logging.Abstractions;
using StackExchange.Redis;
using Streaming.Core.Embeddings;
using Streaming.Serving.Recommendations;
using Streaming.Serving.Search;
using Streaming.Worker.Health;
using Streaming.Worker.Http;
using Streaming.Worker.Messages;
using Streaming.Worker.Rpc;
using Streaming.Worker.Serve;
using Streaming.Worker.Tests.Serve;
using Xunit;

namespace Streaming.Worker.Tests.Rpc;

/// <summary>The gRPC service over a real connection, store and index; its answers are those of HTTP.</summary>
public sealed class ServingRpcTests : IAsyncLifetime
{
    private readonly string _keys = Path.GetTempFileName();
    private PublishedShop _shop = null!;
    private Lookups _lookups = null!;
    private HttpEndpoint _endpoint = null!;
    private GrpcChannel _channel = null!;
    private EmbeddingService.EmbeddingServiceClient _client = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _shop = await PublishedShop.OpenAsync();
        _lookups = new Lookups(
            _shop.Redis.GetDatabase(),
            _shop.Settings.Redis,
            _shop.Settings.Serve,
            _shop.Settings.Model.Widths,
            static _ => null,
            TimeProvider.System
        );
        await StartAsync(_shop.Settings.Http);
        await _lookups.Updater.RefreshAsync(Stop);
    }

    public async ValueTask DisposeAsync()
    {
        _channel.Dispose();
        await _endpoint.DisposeAsync();
        _lookups.Dispose();
        await _shop.DisposeAsync();
        File.Delete(_keys);
    }

    [Fact]
    public async Task GetItems_GivesVectorsAtAWidthAndNamesWhatIsMissing()
    {
        GetItemsResponse answer = await _client.GetItemsAsync(
            new GetItemsRequest { Ids = { "i2", "nothing", "i5" }, Width = 4 },
            cancellationToken: Stop
        );
        Assert.Equal(["i2", "i5"], answer.Items.Select(static item => item.Id));
        Assert.Equal(["nothing"], answer.Missing);
        Assert.All(answer.Items, static item => Assert.Equal(7, item.Step));
        Assert.Equal((await VectorAsync("i2", 8))[..4], answer.Items[0].Vector);
    }

    [Fact]
    public async Task GetItems_WithoutWidth_GivesAll() => Assert.Equal(8, (await VectorAsync("i1", 0)).Length);

    [Fact]
    public async Task GetItems_NamesValuesThatCannotBeRead()
    {
        var keys = new RedisKeys(_shop.Settings.Redis.Model, _shop.Settings.Redis.Partitions);
        await _shop.Redis.GetDatabase().StringSetAsync(keys.Items(1).Key("i3"), "of something else");

        GetItemsResponse answer = await _client.GetItemsAsync(new GetItemsRequest { Ids = { "i3" } }, cancellationToken: Stop);
        Assert.Equal("i3", Assert.Single(answer.Refused).Id);
        Assert.Contains("foreign", answer.Refused[0].Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task GetNeighbours_AreThoseOfTheIndexWithoutTheItem()
    {
        GetNeighboursResponse answer = await _client.GetNeighboursAsync(
            new GetNeighboursRequest { Id = "i1", Count = 5 },
            cancellationToken: Stop
        );
        IReadOnlyList<Neighbour> expected = await NearestAsync("i1", 5);
        Assert.Equal(expected.Select(static near => near.Id), answer.Items.Select(static item => item.Id));
        Assert.Equal(5, answer.Items.Count);
        Assert.True(answer.Items.Zip(answer.Items.Skip(1)).All(static pair => pair.First.Score >= pair.Second.Score));
    }

    [Fact]
    public async Task GetNeighboursAndBecause_OfAnItemWithCounts_AreFusedUnlessTheVectorAloneIsAskedFor()
    {
        GetNeighboursResponse alone = await _client.GetNeighboursAsync(
            new GetNeighboursRequest { Id = "i1", VectorOnly = true },
            cancellationToken: Stop
        );
        string last = (await NearestAsync("i1", 29))[^1].Id;
        await _shop.PublishCountsAsync("i1", last);

        GetNeighboursResponse fused = await _client.GetNeighboursAsync(new GetNeighboursRequest { Id = "i1" }, cancellationToken: Stop);
        Assert.Equal((Ranking.Fused, last), (fused.Ranking, fused.Items[0].Id));
        Assert.Equal(alone.Items.Select(static item => item.Id).Take(9), fused.Items.Select(static item => item.Id).Skip(1));
        Assert.Equal(Ranking.Vector, alone.Ranking);
        Assert.Equal(
            alone,
            await _client.GetNeighboursAsync(new GetNeighboursRequest { Id = "i1", VectorOnly = true }, cancellationToken: Stop)
        );

        var request = new RecommendBecauseRequest { User = "anna", Session = { "i1" } };
        Messages.BecauseList list = Assert.Single((await _client.RecommendBecauseAsync(request, cancellationToken: Stop)).Lists);
        Assert.Equal((Ranking.Fused, fused.Items), (list.Ranking, list.Items));
        request.VectorOnly = true;
        list = Assert.Single((await _client.RecommendBecauseAsync(request, cancellationToken: Stop)).Lists);
        Assert.Equal((Ranking.Vector, alone.Items), (list.Ranking, list.Items));
    }

    [Fact]
    public async Task Recommend_AnswersForAUserAndForASessionAlike()
    {
        await _shop.PublishTowersAsync();
        await _shop.PublishHistoryAsync("anna", "i1", "i2");
        RecommendResponse user = await _client.RecommendAsync(new RecommendRequest { User = "anna", Count = 4 }, cancellationToken: Stop);
        RecommendResponse session = await _client.RecommendAsync(
            new RecommendRequest { Session = { "i1", "i2" }, Count = 4 },
            cancellationToken: Stop
        );

        Assert.Equal(["i1", "i2"], user.History);
        Assert.Equal(4, user.Items.Count);
        Assert.Equal(user.Items, session.Items);
        Assert.Equal((1u, 9L, Ranking.Vector), (user.Generation, user.Step, user.Ranking));
        Assert.DoesNotContain(user.Items, static item => item.Id is "i1" or "i2");
    }

    [Fact]
    public async Task Recommend_ContinuesTheHistoryByTheSession()
    {
        await _shop.PublishTowersAsync();
        await _shop.PublishHistoryAsync("anna", "i1", "i2");
        var request = new RecommendRequest
        {
            User = "anna",
            Session = { "i2", "i5" },
            Count = 4,
        };
        RecommendResponse answer = await _client.RecommendAsync(request, cancellationToken: Stop);
        RecommendResponse whole = await _client.RecommendAsync(
            new RecommendRequest { Session = { "i1", "i2", "i5" }, Count = 4 },
            cancellationToken: Stop
        );
        Assert.Equal(["i1", "i2", "i5"], answer.History);
        Assert.Equal(whole.Items, answer.Items);
    }

    [Fact]
    public async Task Recommend_ObeysWhatIsLeftOut()
    {
        await _shop.PublishTowersAsync();
        await _shop.PublishHistoryAsync("anna", "i1", "i2");
        var request = new RecommendRequest
        {
            User = "anna",
            Count = 30,
            IncludeSeen = true,
            Exclude = { "i7" },
        };
        RecommendResponse answer = await _client.RecommendAsync(request, cancellationToken: Stop);
        Assert.Equal(29, answer.Items.Count);
        Assert.Contains(answer.Items, static item => item.Id == "i1");
        Assert.DoesNotContain(answer.Items, static item => item.Id == "i7");
    }

    [Fact]
    public async Task Rules_AreThoseOfHttp()
    {
        await _shop.PublishTowersAsync(PublishedShop.Attributes);
        await _lookups.Updater.RefreshAsync(Stop); // loads the attributes
        var rules = new Rules
        {
            Filter = { "category:shoes|boots", "price:..20" },
            Not = { "tags:sale" },
            Diversify = "category:2",
        };
        RecommendResponse shown = await _client.RecommendAsync(new RecommendRequest { Count = 30, Rules = rules }, cancellationToken: Stop);
        GetNeighboursResponse near = await _client.GetNeighboursAsync(
            new GetNeighboursRequest
            {
                Id = "i1",
                Count = 30,
                Exclude = { "i3" },
                Rules = rules,
            },
            cancellationToken: Stop
        );

        // Odd numbers have no tags; every third is a bag; two of each category are left.
        int[] shoes = [3, 9, 15],
            boots = [1, 7, 13, 19];
        Assert.Equal(4, shown.Items.Count);
        Assert.Equal(2, shown.Items.Count(item => shoes.Any(i => item.Id == $"i{i}")));
        Assert.Equal(2, shown.Items.Count(item => boots.Any(i => item.Id == $"i{i}")));
        Assert.Equal(["i15", "i9"], near.Items.Select(static item => item.Id).Where(id => shoes.Any(i => id == $"i{i}")).Order());
        Assert.DoesNotContain(near.Items, static item => item.Id is "i1" or "i3");
    }

    [Fact]
    public async Task Boost_OrdersAsOverHttpAndIsRefusedByItsWords()
    {
        await _shop.PublishTowersAsync(PublishedShop.Attributes);
        await _lookups.Updater.RefreshAsync(Stop);
        async Task<ScoredItem[]> NearAsync(params string[] boosts)
        {
            var request = new GetNeighboursRequest
            {
                Id = "i1",
                Count = 29,
                Rules = new Rules { Boost = { boosts } },
            };
            return [.. (await _client.GetNeighboursAsync(request, cancellationToken: Stop)).Items];
        }

        ScoredItem[] plain = await NearAsync(),
            raised = await NearAsync("brand:acme:100"),
            lowered = await NearAsync("brand:acme:0.01");
        static bool IsAcme(ScoredItem item) => int.Parse(item.Id[1..], System.Globalization.CultureInfo.InvariantCulture) % 5 == 0;
        string[] acme = [.. plain.Where(static item => IsAcme(item) && item.Score > 0).Select(static item => item.Id)];
        Assert.NotEmpty(acme);
        Assert.Equal(acme, raised.Take(acme.Length).Select(static item => item.Id));
        Assert.All(acme, id => Assert.Equal(100 * Of(plain, id), Of(raised, id), 1e-2f * Of(raised, id)));
        Assert.All(lowered.TakeWhile(static item => item.Score > 0.01f), static item => Assert.False(IsAcme(item), item.Id));

        var recommend = new RecommendRequest
        {
            User = "stranger",
            Count = 30,
            Rules = new Rules { Boost = { "brand:acme:100" } },
        };
        RecommendResponse shown = await _client.RecommendAsync(recommend, cancellationToken: Stop);
        int positive = shown.Items.Count(static item => IsAcme(item) && item.Score > 0);
        Assert.True(positive > 0);
        Assert.All(shown.Items.Take(positive), static item => Assert.True(IsAcme(item), item.Id));

        RpcException exception = await Assert.ThrowsAsync<RpcException>(() => NearAsync("brand:acme:1000"));
        Assert.Equal(
            (StatusCode.InvalidArgument, "the boost of \"brand:acme\" is 1000; allowed: 0.01 to 100"),
            (exception.StatusCode, exception.Status.Detail)
        );

        static float Of(ScoredItem[] items, string id) => Array.Find(items, item => item.Id == id)!.Score;
    }

    [Fact]
    public async Task RecommendBecause_ListsTheNeighboursOfTheLatestItems()
    {
        await _shop.PublishTowersAsync();
        await _shop.PublishHistoryAsync("anna", "i1", "i2");
        RecommendBecauseResponse answer = await _client.RecommendBecauseAsync(
            new RecommendBecauseRequest
            {
                User = "anna",
                Session = { "i5" },
                Lists = 2,
                Count = 3,
                Exclude = { "i7" },
            },
            cancellationToken: Stop
        );

        Assert.Equal(["i5", "i2"], answer.Lists.Select(static list => list.Because));
        Assert.All(answer.Lists, static list => Assert.Equal(3, list.Items.Count));
        string[] items = [.. answer.Lists.SelectMany(static list => list.Items).Select(static item => item.Id)];
        Assert.Equal(6, items.Distinct().Count());
        Assert.Empty(items.Intersect(["i1", "i2", "i5", "i7"]));
        IReadOnlyList<Neighbour> near = await NearestAsync("i5", 10);
        Assert.Equal(
            near.Select(static item => item.Id).Except(["i1", "i2", "i7"]).Take(3),
            answer.Lists[0].Items.Select(static item => item.Id)
        );
        Assert.Equal(1u, answer.Generation);
    }

    [Fact]
    public async Task Lists_AreThoseOfHttp()
    {
        await _shop.PublishTowersAsync(PublishedShop.Attributes);
        await _lookups.Updater.RefreshAsync(Stop); // loads the attributes
        var rules = new Rules { Filter = { "category:shoes" }, Not = { "tags:sale" } };

        ListPopularResponse popular = await _client.ListPopularAsync(
            new ListPopularRequest
            {
                Count = 2,
                Rules = rules,
                Exclude = { "i27" },
            },
            cancellationToken: Stop
        );
        ListPopularResponse recent = await _client.ListPopularAsync(
            new ListPopularRequest { Recent = true, Rules = rules },
            cancellationToken: Stop
        );
        ListLatestResponse latest = await _client.ListLatestAsync(new ListLatestRequest { Rules = rules }, cancellationToken: Stop);

        Assert.Equal([("i21", 21L), ("i15", 15L)], popular.Items.Select(static item => (item.Id, item.Events)));
        Assert.Equal(["i3", "i9", "i15", "i21", "i27"], recent.Items.Select(static item => item.Id));
        Assert.Equal(["i27", "i21", "i15", "i9", "i3"], latest.Items.Select(static item => item.Id));
        Assert.Equal(20, (await _client.ListLatestAsync(new ListLatestRequest(), cancellationToken: Stop)).Items.Count);
    }

    [Fact]
    public async Task Answers_SayWhichItemsAreColdAndWhoIsNew()
    {
        await _shop.PublishTowersAsync(PublishedShop.Attributes);
        await _shop.PublishHistoryAsync("anna", "i1");
        await _lookups.Updater.RefreshAsync(Stop);

        RecommendResponse stranger = await _client.RecommendAsync(
            new RecommendRequest { User = "stranger", Count = 30 },
            cancellationToken: Stop
        );
        RecommendResponse anna = await _client.RecommendAsync(new RecommendRequest { User = "anna" }, cancellationToken: Stop);

        Assert.Equal(["i0"], stranger.Items.Where(static item => item.Cold).Select(static item => item.Id));
        Assert.Equal((true, false), (stranger.NewUser, anna.NewUser));
    }

    [Theory]
    [InlineData("an unknown field", StatusCode.InvalidArgument, "colour")]
    [InlineData("a range of texts", StatusCode.InvalidArgument, "category")]
    public async Task WrongRule_NamesTheField(string what, StatusCode code, string field)
    {
        await _shop.PublishTowersAsync(PublishedShop.Attributes);
        await _lookups.Updater.RefreshAsync(Stop);
        string filter = what == "an unknown field" ? "colour:red" : "category:1..2";
        RpcException exception = await Assert.ThrowsAsync<RpcException>(async () =>
            await _client.RecommendAsync(new RecommendRequest { Rules = new Rules { Filter = { filter } } }, cancellationToken: Stop)
        );
        Assert.Equal(code, exception.StatusCode);
        Assert.Contains($"\"{field}\"", exception.Status.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("no ids", StatusCode.InvalidArgument, "ids has 0 values; allowed: 1 to 6")]
    [InlineData("too many ids", StatusCode.InvalidArgument, "ids has 7 values; allowed: 1 to 6")]
    [InlineData("an empty id", StatusCode.InvalidArgument, "ids is empty; allowed: an id")]
    [InlineData("a width", StatusCode.InvalidArgument, "width is 9; allowed: 1 to 8")]
    [InlineData("a count", StatusCode.InvalidArgument, "count is -1; allowed: 1 to 100")]
    [InlineData("a shortlist", StatusCode.InvalidArgument, "shortlist is 100001; allowed: 1 to 100000")]
    [InlineData("an unknown item", StatusCode.NotFound, "item \"nothing\" has no embedding")]
    [InlineData("a long session", StatusCode.InvalidArgument, "session has 7 values; allowed: 0 to 6")]
    [InlineData("a width without a tower", StatusCode.InvalidArgument, "width is \"5\"; allowed: 4, 8")]
    [InlineData("a list of nobody", StatusCode.InvalidArgument, "user is empty; allowed: an id")]
    [InlineData("many lists", StatusCode.InvalidArgument, "lists is 11; allowed: 1 to 10")]
    [InlineData("a long list", StatusCode.InvalidArgument, "count is 101; allowed: 1 to 100")]
    [InlineData("many popular", StatusCode.InvalidArgument, "count is 1001; allowed: 1 to 1000")]
    [InlineData("much to leave out", StatusCode.InvalidArgument, "exclude has 7 values; allowed: 0 to 6")]
    [InlineData(
        "a generation",
        StatusCode.InvalidArgument,
        "generation is \"9\"; allowed: 1. STREAMING__Serve__TrialGeneration serves another one"
    )]
    [InlineData(
        "a boosted list",
        StatusCode.InvalidArgument,
        "rules has a boost or diversify, which a list does not have; allowed: filter, any, not"
    )]
    [InlineData(
        "a list without facts",
        StatusCode.InvalidArgument,
        "there are no popular or latest items: the trainer publishes no facts of items (STREAMING__Items__Attributes)"
    )]
    [InlineData("no tower yet", StatusCode.Unavailable, "no user tower of width 8 is published yet")]
    public async Task WrongCall_IsToldWhatIsAllowed(string what, StatusCode code, string message)
    {
        RpcException exception = await Assert.ThrowsAsync<RpcException>(() => CallAsync(what));
        Assert.Equal((code, message), (exception.StatusCode, exception.Status.Detail));
    }

    private Task CallAsync(string what) =>
        what switch
        {
            "no ids" => ItemsAsync(),
            "too many ids" => ItemsAsync("1", "2", "3", "4", "5", "6", "7"),
            "an empty id" => ItemsAsync(string.Empty),
            "a width" => _client.GetItemsAsync(new GetItemsRequest { Ids = { "i1" }, Width = 9 }).ResponseAsync,
            "a count" => _client.GetNeighboursAsync(new GetNeighboursRequest { Id = "i1", Count = -1 }).ResponseAsync,
            "a shortlist" => _client.GetNeighboursAsync(new GetNeighboursRequest { Id = "i1", Shortlist = 100_001 }).ResponseAsync,
            "an unknown item" => _client.GetNeighboursAsync(new GetNeighboursRequest { Id = "nothing" }).ResponseAsync,
            "a long session" => _client
                .RecommendAsync(new RecommendRequest { Session = { "1", "2", "3", "4", "5", "6", "7" } })
                .ResponseAsync,
            "a width without a tower" => _client.RecommendAsync(new RecommendRequest { User = "u", Width = 5 }).ResponseAsync,
            "a list of nobody" => _client.RecommendBecauseAsync(new RecommendBecauseRequest()).ResponseAsync,
            "many lists" => _client.RecommendBecauseAsync(new RecommendBecauseRequest { User = "u", Lists = 11 }).ResponseAsync,
            "a long list" => _client.RecommendBecauseAsync(new RecommendBecauseRequest { User = "u", Count = 101 }).ResponseAsync,
            "many popular" => _client.ListPopularAsync(new ListPopularRequest { Count = 1001 }).ResponseAsync,
            "much to leave out" => _client
                .ListLatestAsync(new ListLatestRequest { Exclude = { "1", "2", "3", "4", "5", "6", "7" } })
                .ResponseAsync,
            "a generation" => _client.ListLatestAsync(new ListLatestRequest { Generation = 9 }).ResponseAsync,
            "a boosted list" => _client
                .ListPopularAsync(new ListPopularRequest { Rules = new Rules { Boost = { "brand:acme:2" } } })
                .ResponseAsync,
            "a list without facts" => _client.ListLatestAsync(new ListLatestRequest()).ResponseAsync,
            "no tower yet" => _client.RecommendAsync(new RecommendRequest { User = "u" }).ResponseAsync,
            _ => throw new ArgumentOutOfRangeException(nameof(what), what, "no such call"),
        };

    private Task<GetItemsResponse> ItemsAsync(params string[] ids) =>
        _client.GetItemsAsync(new GetItemsRequest { Ids = { ids } }).ResponseAsync;

    [Fact]
    public async Task ApiKey_IsRequiredAsOverHttp()
    {
        await File.WriteAllTextAsync(_keys, "a-key-of-the-shop-1\n", Stop);
        _channel.Dispose();
        await _endpoint.DisposeAsync();
        await StartAsync(_shop.Settings.Http with { ApiKeyFile = _keys });
        var request = new GetItemsRequest { Ids = { "i1" } };

        RpcException exception = await Assert.ThrowsAsync<RpcException>(async () =>
            await _client.GetItemsAsync(request, cancellationToken: Stop)
        );
        Assert.Equal(StatusCode.Unauthenticated, exception.StatusCode);
        var key = new Metadata { { "x-api-key", "a-key-of-the-shop-1" } };
        Assert.Single((await _client.GetItemsAsync(request, key, cancellationToken: Stop)).Items);
    }

    private async Task<float[]> VectorAsync(string id, int width) =>
        [.. (await _client.GetItemsAsync(new GetItemsRequest { Ids = { id }, Width = width }, cancellationToken: Stop)).Items[0].Vector];

    private async Task<IReadOnlyList<Neighbour>> NearestAsync(string item, int count) =>
        (await _lookups.NeighboursAsync(_lookups.Take(), item, new ItemQuery { Width = 8, Count = count }, Stop)).Found!.Items;

    private async Task StartAsync(HttpOptions options)
    {
        options = options with { Port = 0, GrpcPort = 0 };
        _endpoint = await HttpEndpoint.StartAsync(
            options,
            NullLoggerFactory.Instance,
            ServingRpc.Map,
            Stop,
            new IndexService(_lookups, _shop.Settings.Serve, new HealthReport(), TimeProvider.System, NullLoggerFactory.Instance),
            services => ServingRpc.AddServices(services, new ServedGenerations(_lookups), options)
        );
        _channel = GrpcChannel.ForAddress(_endpoint.GrpcAddress!);
        _client = new EmbeddingService.EmbeddingServiceClient(_channel);
    }
}
