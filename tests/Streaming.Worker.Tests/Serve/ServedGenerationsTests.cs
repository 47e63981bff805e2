using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.Extensions.DependencyInjection;
using Streaming.Core.Options;
using Streaming.Serving;
using Streaming.Transport.Redis.Generations;
using Streaming.Worker.Health;
using Streaming.Worker.Http;
using Streaming.Worker.Messages;
using Streaming.Worker.Metrics;
using Streaming.Worker.Otlp;
using Streaming.Worker.Rpc;
using Streaming.Worker.Serve;
using Streaming.Worker.Tests.Faults;
using Xunit;

namespace Streaming.Worker.Tests.Serve;

/// <summary>Two generations of one model in a real Redis, served side by side over HTTP and gRPC.</summary>
public sealed class ServedGenerationsTests : IAsyncLifetime
{
    private const double Share = 0.5;

    private static readonly string[] Users = [.. Enumerable.Range(0, 40).Select(static i => $"user-{i}")];

    private readonly RecordingLoggers _log = new();
    private readonly HealthReport _health = new();
    private readonly PrometheusExposition _exposition = new("shop", Telemetry.Meters);
    private PublishedShop _shop = null!;
    private Lookups _active = null!;
    private Lookups _trial = null!;
    private HttpEndpoint _endpoint = null!;
    private HttpClient _client = null!;
    private GrpcChannel _channel = null!;
    private EmbeddingService.EmbeddingServiceClient _rpc = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private Uri Metrics => new(_endpoint.Address, "/metrics");

    public async ValueTask InitializeAsync()
    {
        _shop = await PublishedShop.OpenAsync();
        await _shop.PublishTowersAsync(1, PublishedShop.Attributes);
        (_active, _trial) = (Open(0), Open(2));
        await _active.Updater.RefreshAsync(Stop);
        var served = new ServedGenerations(_active, _trial, Share);
        HttpOptions options = _shop.Settings.Http with { Port = 0, GrpcPort = 0 };
        _endpoint = await HttpEndpoint.StartAsync(
            options,
            _log,
            routes =>
            {
                LookupRoutes.Map(routes, served, options);
                RecommendationRoutes.Map(routes, served, options);
                BecauseRoutes.Map(routes, served, options);
                ListRoutes.Map(routes, served, options);
                CatalogueRoutes.Map(routes, served);
                OperationsRoutes.Map(routes, _health, _exposition);
                ServingRpc.Map(routes);
            },
            Stop,
            new IndexService(_active, _shop.Settings.Serve, _health, TimeProvider.System, _log),
            services =>
            {
                ServingRpc.AddServices(services, served, options);
                services.AddHostedService(_ => new TrialService(served, _health, TimeProvider.System, _log));
            }
        );
        _client = new HttpClient { BaseAddress = _endpoint.Address };
        _channel = GrpcChannel.ForAddress(_endpoint.GrpcAddress!);
        _rpc = new EmbeddingService.EmbeddingServiceClient(_channel);
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        _channel.Dispose();
        await _endpoint.DisposeAsync();
        _exposition.Dispose();
        _active.Dispose();
        _trial.Dispose();
        await _shop.DisposeAsync();
    }

    [Fact]
    public async Task NamedGeneration_AnswersEveryRouteAloneAndSaysSo()
    {
        await PublishTrialAsync();
        string[] paths =
        [
            "/items/i1?width=4",
            "/items?search=i1",
            "/items/i1/neighbours?count=5",
            "/popular?count=3",
            "/latest?count=3",
            "/attributes",
            "/users/anna/recommendations?count=5",
            "/users/anna/because",
        ];
        foreach (string path in paths)
        {
            string separator = path.Contains('?') ? "&" : "?";
            Reply first = await GetAsync($"{path}{separator}generation=1"),
                second = await GetAsync($"{path}{separator}generation=2");
            Assert.Equal((HttpStatusCode.OK, "1"), (first.Status, first.Generation));
            Assert.Equal((HttpStatusCode.OK, "2"), (second.Status, second.Generation));
            Assert.NotEqual(first.Tag, second.Tag); // Also where the answers read the same.
        }

        Assert.Equal(
            (await VectorAsync(2)).Select(static value => Math.Round(value, 3)),
            (await GetAsync("/items/i1?generation=2"))
                .Body.GetProperty("vector")
                .EnumerateArray()
                .Select(static value => Math.Round(value.GetSingle(), 3))
        );
        Assert.NotEqual(await VectorAsync(1), await VectorAsync(2));
        Assert.Equal(2, (await GetAsync("/users/anna/recommendations?generation=2")).Body.GetProperty("generation").GetInt32());
        Reply posted = await PostAsync("/recommendations?generation=2", """["i1"]""");
        Assert.Equal(("2", 2), (posted.Generation, posted.Body.GetProperty("generation").GetInt32()));
    }

    [Fact]
    public async Task Users_AreAnsweredBySideOfTheDrawAndCountedApart()
    {
        await PublishTrialAsync();
        foreach (string user in Users)
        {
            string expected = UserShare.Contains(user, Share, 2) ? "2" : "1";
            Assert.Equal((user, expected), (user, (await GetAsync($"/users/{user}/recommendations?count=2")).Generation));
            RecommendResponse answer = await _rpc.RecommendAsync(new RecommendRequest { User = user, Count = 2 }, cancellationToken: Stop);
            Assert.Equal(expected, $"{answer.Generation}");
        }

        Assert.Equal("1", (await GetAsync("/items/i1")).Generation); // Of nobody.
        await GetAsync("/users/anna/recommendations?generation=2");
        string metrics = await _client.GetStringAsync(Metrics, Stop);
        int drawn = Users.Count(static user => UserShare.Contains(user, Share, 2));
        Assert.InRange(drawn, 5, 35);
        Assert.Equal(drawn, Requests(metrics, 2, "trial"));
        Assert.Equal(Users.Length - drawn, Requests(metrics, 1, "others"));
        Assert.True(Requests(metrics, 2, "named") >= 1);
        Assert.Contains("streaming_index_items{index=\"trial\",model=\"shop\"} 30\n", metrics, StringComparison.Ordinal);
        Assert.Contains("streaming_index_items{index=\"active\",model=\"shop\"} 30\n", metrics, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("7", "generation is \"7\"; allowed: 1, 2. STREAMING__Serve__TrialGeneration serves another one")]
    [InlineData("0", "generation is \"0\"; allowed: 1 to 2147483647")]
    [InlineData("new", "generation is \"new\"; allowed: 1 to 2147483647")]
    public async Task GenerationThatIsNotServed_Is400NamingThoseThatAre(string generation, string detail)
    {
        await PublishTrialAsync();
        Reply reply = await GetAsync($"/items/i1?generation={generation}");

        Assert.Equal((HttpStatusCode.BadRequest, detail), (reply.Status, reply.Body.GetProperty("detail").GetString()));
    }

    [Fact]
    public async Task Rpc_AnswersFromTheNamedGenerationAndRefusesOthers()
    {
        await PublishTrialAsync();
        AsyncUnaryCall<GetItemsResponse> call = _rpc.GetItemsAsync(
            new GetItemsRequest { Ids = { "i1" }, Generation = 2 },
            cancellationToken: Stop
        );
        Assert.Equal(await VectorAsync(2), (await call).Items[0].Vector);
        Assert.Equal("2", (await call.ResponseHeadersAsync).GetValue("x-generation"));
        GetNeighboursResponse near = await _rpc.GetNeighboursAsync(
            new GetNeighboursRequest { Id = "i1", Generation = 2 },
            cancellationToken: Stop
        );
        Assert.Equal(
            (await GetAsync("/items/i1/neighbours?generation=2"))
                .Body.GetProperty("neighbours")
                .EnumerateArray()
                .Select(static item => item.GetProperty("item").GetString()),
            near.Items.Select(static item => item.Id)
        );

        RpcException exception = await Assert.ThrowsAsync<RpcException>(async () =>
            await _rpc.GetItemsAsync(new GetItemsRequest { Ids = { "i1" }, Generation = 7 }, cancellationToken: Stop)
        );
        Assert.Equal(StatusCode.InvalidArgument, exception.StatusCode);
        Assert.Contains("generation is \"7\"; allowed: 1, 2", exception.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TrialThatIsNotPublishedOrIsGone_LeavesItsUsersToTheActiveGeneration()
    {
        string user = Array.Find(Users, static user => UserShare.Contains(user, Share, 2))!;
        await UntilAsync(() => Trouble() == "degraded: generation 2 has no items: it was not published, or was retired");
        Assert.Equal("1", (await GetAsync($"/users/{user}/recommendations")).Generation);
        Reply named = await GetAsync("/items/i1?generation=2");
        Assert.Equal(
            (HttpStatusCode.BadRequest, "generation is \"2\"; allowed: 1. STREAMING__Serve__TrialGeneration serves another one"),
            (named.Status, named.Body.GetProperty("detail").GetString())
        );

        await _shop.PublishItemsAsync(2);
        await UntilAsync(() =>
            Trouble() == "degraded: generation 2 has no record yet (m:items:generation:2): its user towers are not published"
        );
        Assert.Equal("1", (await GetAsync($"/users/{user}/recommendations")).Generation);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await GetAsync("/items/i1?generation=2")).Status);
        await PublishTrialAsync();
        await UntilAsync(() => _log.Has("Generation 2 is served on trial: its index holds 30 items in "));
        Assert.Equal("2", (await GetAsync($"/users/{user}/recommendations")).Generation);

        GenerationSwitch generations = Switch();
        await generations.RetireAsync(2, await generations.ListAsync(2, Stop), TimeSpan.FromMilliseconds(1), Stop);
        await UntilAsync(() => Trouble() == "degraded: generation 2 has no items: it was not published, or was retired");
        Assert.Equal("1", (await GetAsync($"/users/{user}/recommendations")).Generation);
        Assert.Equal(HttpStatusCode.OK, (await GetAsync("/health/ready")).Status);
        await UntilAsync(() => _log.Has("The trial of generation 2 is not running as set: generation 2 has no items"));
    }

    [Fact]
    public async Task SwitchToTheTrial_IsSaidToLeaveNothingToCompare()
    {
        await PublishTrialAsync();
        Assert.True(await Switch().FlipAsync(1, 2, Stop));
        await UntilAsync(() => Trouble() == "degraded: readers use generation 2 too, so there is nothing to compare");

        Assert.Equal("2", (await GetAsync("/items/i1")).Generation);
        Reply old = await GetAsync("/items/i1?generation=1");
        Assert.Equal(HttpStatusCode.BadRequest, old.Status);
        Assert.StartsWith("generation is \"1\"; allowed: 2.", old.Body.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public void ShareWithoutAGeneration_IsRefusedByName()
    {
        OptionsException exception = Assert.Throws<OptionsException>(new ServeOptions { TrialShare = 0.1 }.Validate);

        Assert.Contains("TrialGeneration", exception.Message, StringComparison.Ordinal);
        new ServeOptions { TrialShare = 0.1, TrialGeneration = 2 }.Validate();
    }

    private static int Requests(string metrics, int generation, string group) =>
        metrics
            .Split('\n')
            .Where(line =>
                line.StartsWith("http_server_request_duration_seconds_count{", StringComparison.Ordinal)
                && line.Contains("/users/{id}/recommendations", StringComparison.Ordinal)
                && line.Contains($"generation=\"{generation}\"", StringComparison.Ordinal)
                && line.Contains($"group=\"{group}\"", StringComparison.Ordinal)
            )
            .Sum(static line => int.Parse(line.Split(' ')[^1], System.Globalization.CultureInfo.InvariantCulture));

    private GenerationSwitch Switch() =>
        new(_shop.Redis.GetDatabase(), _shop.Settings.Redis, _shop.Settings.Model.Widths, TimeProvider.System);

    private Lookups Open(uint generation) =>
        new(
            _shop.Redis.GetDatabase(),
            _shop.Settings.Redis,
            _shop.Settings.Serve,
            _shop.Settings.Model.Widths,
            static _ => null,
            TimeProvider.System,
            generation
        );

    private async Task PublishTrialAsync()
    {
        await _shop.PublishItemsAsync(2);
        await _shop.PublishTowersAsync(2, PublishedShop.Attributes);
        await UntilAsync(() => Trouble() == "healthy");
    }

    private string? Trouble() => _health.Parts().GetValueOrDefault("trial");

    private async Task<float[]> VectorAsync(uint generation) =>
        [
            .. (await _rpc.GetItemsAsync(new GetItemsRequest { Ids = { "i1" }, Generation = generation }, cancellationToken: Stop))
                .Items[0]
                .Vector,
        ];

    private async Task<Reply> GetAsync(string path)
    {
        using HttpResponseMessage response = await _client.GetAsync(new Uri(path, UriKind.Relative), Stop);
        return await ReplyAsync(response);
    }

    private async Task<Reply> PostAsync(string path, string body)
    {
        using var content = new StringContent(body);
        using HttpResponseMessage response = await _client.PostAsync(new Uri(path, UriKind.Relative), content, Stop);
        return await ReplyAsync(response);
    }

    private static async Task<Reply> ReplyAsync(HttpResponseMessage response) =>
        new(
            response.StatusCode,
            response.Headers.TryGetValues("X-Generation", out IEnumerable<string>? values) ? values.Single() : null,
            response.Headers.ETag?.Tag,
            await response.Content.ReadFromJsonAsync<JsonElement>(Stop)
        );

    private static async Task UntilAsync(Func<bool> holds)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while (!holds())
        {
            await Task.Delay(20, limit.Token);
        }
    }

    private sealed record Reply(HttpStatusCode Status, string? Generation, string? Tag, JsonElement Body);
}
