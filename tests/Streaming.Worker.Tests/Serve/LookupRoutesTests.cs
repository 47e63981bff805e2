using System.Net;
using System.Net.Http.Json;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using StackExchange.Redis;
using Streaming.Core.Embeddings;
using Streaming.Core.Events;
using Streaming.Core.Generations;
using Streaming.Core.Hashing;
using Streaming.Core.Refreshes;
using Streaming.Lab.Embedded;
using Streaming.Transport.Redis;
using Streaming.Transport.Redis.Generations;
using Streaming.Transport.Redis.Publishing;
using Streaming.Worker.Commands;
using Streaming.Worker.Health;
using Streaming.Worker.Http;
using Streaming.Worker.Messages;
using Streaming.Worker.Page;
using Streaming.Worker.Run;
using Streaming.Worker.Serve;
using Xunit;

namespace Streaming.Worker.Tests.Serve;

public sealed class LookupRoutesTests : IAsyncLifetime
{
    private LocalRedisServer _server = null!;
    private ConnectionMultiplexer _redis = null!;
    private Lookups _lookups = null!;
    private HttpEndpoint _endpoint = null!;
    private HttpClient _client = null!;
    private readonly HealthReport _health = new();

    public async ValueTask InitializeAsync()
    {
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        _server = await LocalRedisServer.StartAsync(cancellationToken: cancellation);
        WorkerOptions settings = WorkerSettings.Options(
            new Dictionary<string, string>
            {
                ["STREAMING__Redis__Configuration"] = _server.Configuration,
                ["STREAMING__Redis__Element"] = "Float32",
                ["STREAMING__Model__Widths"] = "4,8",
                ["STREAMING__Http__MaxItems"] = "3",
                ["STREAMING__Serve__RefreshInterval"] = "20ms",
            }
        );
        _redis = await RedisConnection.OpenAsync(settings.Redis, cancellation);
        var publisher = new EmbeddingPublisher(_redis.GetDatabase(), settings.Redis, settings.Model.Widths, TimeProvider.System);
        await publisher.OpenAsync(1, 1, cancellation);
        // At width 4, b is nearest to a; at width 8, c is.
        await publisher.PublishAsync(
            [
                Item("a", 1, 0, 0, 0, 1, 0, 0, 0),
                Item("b", 1, 0.1f, 0, 0, -1, 0, 0, 0),
                Item("c", 1, 0.5f, 0, 0, 1, 0, 0, 0),
                Item("d", -1, 0, 0, 0, 0, 0, 0, 0),
            ],
            [],
            cancellation
        );
        _lookups = new Lookups(
            _redis.GetDatabase(),
            settings.Redis,
            settings.Serve,
            settings.Model.Widths,
            id => id == "b" ? "<b>bold</b>" : null,
            TimeProvider.System
        );
        _endpoint = await HttpEndpoint.StartAsync(
            settings.Http with
            {
                Port = 0,
            },
            NullLoggerFactory.Instance,
            routes =>
            {
                LookupRoutes.Map(routes, new ServedGenerations(_lookups), settings.Http);
                PageRoutes.Map(routes, new PageSource { Model = settings.Redis.Model, Served = new ServedGenerations(_lookups) });
            },
            cancellation,
            new IndexService(_lookups, settings.Serve, _health, TimeProvider.System, NullLoggerFactory.Instance)
        );
        await _lookups.Updater.RefreshAsync(cancellation);
        _client = new HttpClient(new SocketsHttpHandler { Expect100ContinueTimeout = TimeSpan.FromMinutes(1) })
        {
            BaseAddress = _endpoint.Address,
        };
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _endpoint.DisposeAsync();
        _lookups.Dispose();
        _redis.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task Item_AtAWidth_IsThePrefix()
    {
        using JsonDocument whole = await GetAsync("/items/c");
        using JsonDocument narrow = await GetAsync("/items/c?width=4");

        Assert.Equal(
            [1, 0.5, 0, 0, 1, 0, 0, 0],
            whole.RootElement.GetProperty("vector").EnumerateArray().Select(value => value.GetDouble())
        );
        Assert.Equal([1, 0.5, 0, 0], narrow.RootElement.GetProperty("vector").EnumerateArray().Select(value => value.GetDouble()));
        Assert.Equal(7, whole.RootElement.GetProperty("step").GetInt64());
    }

    [Fact]
    public async Task Everything_FollowsThePointerToAGenerationOfOtherWidths()
    {
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        using JsonDocument before = await GetAsync("/items/a/neighbours?width=8&count=2");
        var options = new RedisOptions { Configuration = _server.Configuration, Element = EmbeddingElement.Float32 };
        var publisher = new EmbeddingPublisher(_redis.GetDatabase(), options, [4], TimeProvider.System);
        await publisher.OpenAsync(2, 1, cancellation);
        await publisher.PublishAsync([Item("a", 0, 1, 0, 0), Item("b", 1, 0, 0, 0), Item("d", 0, 1, 0.1f, 0)], [], cancellation);
        await new GenerationPublisher(_redis.GetDatabase(), options, TimeProvider.System).PublishAsync(
            new GenerationRecord
            {
                Generation = 2,
                Token = 1,
                Widths = [4],
            },
            [],
            cancellation
        );
        Assert.True(await new GenerationSwitch(_redis.GetDatabase(), options, [4], TimeProvider.System).FlipAsync(1, 2, cancellation));

        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (true)
        {
            using HttpResponseMessage response = await _client.GetAsync(new Uri("/items/a", UriKind.Relative), limit.Token);
            if (
                response.IsSuccessStatusCode
                && (await response.Content.ReadAsStringAsync(limit.Token)).Contains("\"vector\":[0,1,0,0]", StringComparison.Ordinal)
            )
            {
                break;
            }

            await Task.Delay(50, limit.Token);
        }

        using HttpResponseMessage wide = await _client.GetAsync(new Uri("/items/a?width=8", UriKind.Relative), cancellation);
        Assert.Equal(HttpStatusCode.BadRequest, wide.StatusCode);
        Assert.Contains("1 to 4", await wide.Content.ReadAsStringAsync(cancellation), StringComparison.Ordinal);
        using JsonDocument after = await GetAsync("/items/a/neighbours?count=2");
        Assert.Equal(["c", "b"], Ids(before));
        Assert.Equal(["d", "b"], Ids(after));
    }

    [Theory]
    [InlineData("application/x-protobuf", true)]
    [InlineData("application/json;q=0.5, application/x-protobuf", true)]
    [InlineData("application/json, application/x-protobuf", false)]
    [InlineData("*/*", false)]
    public async Task Items_AreAMessageForWhoPrefersIt(string accept, bool isMessage)
    {
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        using var request = new HttpRequestMessage(HttpMethod.Post, "/items?width=4")
        {
            Content = new StringContent("""["a","nothing","b"]"""),
        };
        request.Headers.TryAddWithoutValidation("Accept", accept);
        using HttpResponseMessage response = await _client.SendAsync(request, cancellation);
        byte[] body = await response.Content.ReadAsByteArrayAsync(cancellation);
        using JsonDocument one = await GetAsync("/items/a?width=4");
        float[] expected = [.. one.RootElement.GetProperty("vector").EnumerateArray().Select(static value => value.GetSingle())];

        Assert.Equal(isMessage ? "application/x-protobuf" : "application/json", response.Content.Headers.ContentType?.MediaType);
        Assert.Equal(body.Length, response.Content.Headers.ContentLength);
        if (isMessage)
        {
            GetItemsResponse message = GetItemsResponse.Parser.ParseFrom(body);
            Assert.Equal(["a", "b"], message.Items.Select(static item => item.Id));
            Assert.Equal(["nothing"], message.Missing);
            Assert.Equal(expected, message.Items[0].Vector);
        }
        else
        {
            using var json = JsonDocument.Parse(body);
            Assert.Equal(2, json.RootElement.GetProperty("items").GetArrayLength());
        }

        using var wrong = new HttpRequestMessage(HttpMethod.Post, "/items?width=0") { Content = new StringContent("""["a"]""") };
        wrong.Headers.TryAddWithoutValidation("Accept", accept);
        using HttpResponseMessage refused = await _client.SendAsync(wrong, cancellation);
        Assert.Equal("application/problem+json", refused.Content.Headers.ContentType?.MediaType);
    }

    [Fact]
    public async Task Neighbours_DependOnTheWidth()
    {
        using JsonDocument narrow = await GetAsync("/items/a/neighbours?width=4&count=2");
        using JsonDocument wide = await GetAsync("/items/a/neighbours?width=8&count=2");

        Assert.Equal(["b", "c"], Ids(narrow));
        Assert.Equal(["c", "b"], Ids(wide));
        JsonElement b = narrow.RootElement.GetProperty("neighbours")[0];
        Assert.Equal(0.995, b.GetProperty("score").GetDouble(), 0.001);
        Assert.Equal("<b>bold</b>", b.GetProperty("title").GetString());
    }

    [Fact]
    public async Task Items_Many_SayWhichAreMissing()
    {
        using HttpResponseMessage response = await _client.PostAsJsonAsync(
            "/items?width=4",
            (string[])["a", "x", "d"],
            TestContext.Current.CancellationToken
        );
        using var answer = JsonDocument.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));

        Assert.Equal(
            ["a", "d"],
            answer.RootElement.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("item").GetString())
        );
        Assert.Equal(["x"], answer.RootElement.GetProperty("missing").EnumerateArray().Select(item => item.GetString()));
    }

    [Theory]
    [InlineData("/items/x", HttpStatusCode.NotFound, "item \"x\" has no embedding")]
    [InlineData("/items/a?width=9", HttpStatusCode.BadRequest, "width is \"9\"; allowed: 1 to 8")]
    [InlineData("/items/a?width=-1", HttpStatusCode.BadRequest, "width is \"-1\"; allowed: 1 to 8")]
    [InlineData("/items/a/neighbours?count=1000", HttpStatusCode.BadRequest, "count is \"1000\"; allowed: 1 to 100")]
    public async Task Lookup_Wrong_SaysWhatIsAllowed(string path, HttpStatusCode status, string message)
    {
        using HttpResponseMessage response = await _client.GetAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken);
        using var answer = JsonDocument.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));

        Assert.Equal(status, response.StatusCode);
        Assert.Equal(message, answer.RootElement.GetProperty("detail").GetString());
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("[\"a\",\"b\",\"c\",\"d\"]")]
    [InlineData("{\"a\":1}")]
    [InlineData("[\"a\",null]")]
    [InlineData("nonsense")]
    public async Task Items_BadBody_IsRefused(string body)
    {
        using var content = new StringContent(body);
        using HttpResponseMessage response = await _client.PostAsync(
            new Uri("/items", UriKind.Relative),
            content,
            TestContext.Current.CancellationToken
        );

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains(
            "JSON list of 1 to 3 item ids",
            await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken),
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("/items/a?widht=4", "unknown parameter \"widht\"; allowed: width, generation")]
    [InlineData(
        "/items/a/neighbours?widths=4",
        "unknown parameter \"widths\"; allowed: width, count, counts, shortlist, exclude, filter, any, not, boost, diversify, generation"
    )]
    [InlineData("/items/a/neighbours?shortlist=-1", "shortlist is \"-1\"; allowed: 0 to 100000")]
    public async Task Lookup_UnknownParameter_IsRefused(string path, string message)
    {
        (HttpStatusCode status, JsonElement problem) = await ProblemAsync(HttpMethod.Get, path);

        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal(message, problem.GetProperty("detail").GetString());
    }

    [Fact]
    public async Task Neighbours_WithAShortlistOfAll_AreThoseWithoutOne()
    {
        using JsonDocument exact = await GetAsync("/items/a/neighbours?width=8&count=3");
        using JsonDocument funnel = await GetAsync("/items/a/neighbours?width=8&count=3&shortlist=50");

        Assert.Equal(["c", "b", "d"], Ids(exact));
        Assert.Equal(Ids(exact), Ids(funnel));
    }

    [Fact]
    public async Task Errors_OfTheServerItself_AreJsonToo()
    {
        (HttpStatusCode status, JsonElement problem) = await ProblemAsync(HttpMethod.Get, "/nowhere");
        Assert.Equal((HttpStatusCode.NotFound, "there is nothing at /nowhere"), (status, problem.GetProperty("detail").GetString()));

        (status, problem) = await ProblemAsync(HttpMethod.Delete, "/items/a");
        Assert.Equal(HttpStatusCode.MethodNotAllowed, status);
        Assert.Contains("GET", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);

        (status, problem) = await ProblemAsync(HttpMethod.Post, "/items", new string(' ', 2 << 20) + "[]");
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, status);
        Assert.Contains("1048576", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Items_AsManyAsAreAllowedOfTheLongestIds_FitTheBody()
    {
        WorkerOptions settings = WorkerSettings.Options(new Dictionary<string, string> { ["STREAMING__Http__MaxItems"] = "5000" });
        await using HttpEndpoint endpoint = await HttpEndpoint.StartAsync(
            settings.Http with
            {
                Port = 0,
            },
            NullLoggerFactory.Instance,
            routes => LookupRoutes.Map(routes, new ServedGenerations(_lookups), settings.Http),
            TestContext.Current.CancellationToken
        );
        using var client = new HttpClient { BaseAddress = endpoint.Address };
        string id = string.Concat(Enumerable.Repeat("\\u0001", InteractionEvent.MaxIdBytes));
        using var body = new StringContent($"[{string.Join(',', Enumerable.Repeat($"\"{id}\"", 5000))}]");

        using HttpResponseMessage response = await client.PostAsync(
            new Uri("/items?width=1", UriKind.Relative),
            body,
            TestContext.Current.CancellationToken
        );

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Fact]
    public async Task Head_IsAnsweredAsGetWithoutTheBody()
    {
        foreach (
            (string path, HttpStatusCode status) in ((string, HttpStatusCode)[])
                [
                    ("/", HttpStatusCode.OK),
                    ("/items/a", HttpStatusCode.OK),
                    ("/items/a/neighbours", HttpStatusCode.OK),
                    ("/items/x", HttpStatusCode.NotFound),
                    ("/status", HttpStatusCode.OK),
                ]
        )
        {
            using var request = new HttpRequestMessage(HttpMethod.Head, path);
            using HttpResponseMessage response = await _client.SendAsync(request, TestContext.Current.CancellationToken);

            Assert.Equal((path, status), (path, response.StatusCode));
            Assert.Empty(await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
        }
    }

    [Fact]
    public async Task Values_ThatCannotBeRead_AreToldFromMissingOnes()
    {
        await _redis.GetDatabase().StringSetAsync(new RedisKeys("items", RedisKeys.DefaultPartitions).Items(1).Key("b"), "somebody else's");
        (HttpStatusCode status, JsonElement problem) = await ProblemAsync(HttpMethod.Get, "/items/b");
        Assert.Equal(HttpStatusCode.BadGateway, status);
        Assert.Equal(
            "the embedding of item \"b\" cannot be read: foreign: something else wrote this key",
            problem.GetProperty("detail").GetString()
        );

        using HttpResponseMessage response = await _client.PostAsJsonAsync(
            "/items",
            (string[])["a", "b", "x"],
            TestContext.Current.CancellationToken
        );
        JsonElement answer = await response.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
        Assert.Equal(["x"], answer.GetProperty("missing").EnumerateArray().Select(item => item.GetString()));
        Assert.Equal("b", answer.GetProperty("refused")[0].GetProperty("item").GetString());
        Assert.True(_lookups.Metrics.ValuesRefused(EmbeddingFault.Foreign) >= 2);
    }

    [Fact]
    public async Task Health_WhenAllThatIsReadIsRefused_IsDegradedUntilSomethingCanBeRead()
    {
        ItemKeySpace keys = new RedisKeys("items", RedisKeys.DefaultPartitions).Items(1);
        RedisValue sound = await _redis.GetDatabase().StringGetAsync(keys.Key("a"));
        foreach (string id in (string[])["a", "b", "c", "d"])
        {
            await _redis.GetDatabase().StringSetAsync(keys.Key(id), "somebody else's");
        }

        await UntilAsync(() =>
            Task.FromResult(
                _health.Parts().GetValueOrDefault("values")
                    == "degraded: every value read recently was refused: foreign: something else wrote this key"
            )
        );
        await _redis.GetDatabase().StringSetAsync(keys.Key("a"), sound);
        await UntilAsync(() => Task.FromResult(_health.Parts().GetValueOrDefault("values") == "healthy"));
    }

    [Fact]
    public async Task Items_ThatExpiredOrWereDeleted_AreNeighboursNoMore()
    {
        ItemKeySpace keys = new RedisKeys("items", RedisKeys.DefaultPartitions).Items(1);
        await _redis.GetDatabase().KeyDeleteAsync(keys.Key("c"));
        await _redis.GetDatabase().KeyExpireAsync(keys.Key("b"), TimeSpan.FromMilliseconds(1));

        await UntilAsync(async () =>
        {
            using JsonDocument near = await GetAsync("/items/a/neighbours?width=8&count=3");
            return Ids(near).SequenceEqual(["d"]);
        });
    }

    [Fact]
    public async Task Pointer_WithALineBreakAround_IsRead()
    {
        await _redis.GetDatabase().StringSetAsync("e:items:active", "1\n");
        await _lookups.Updater.RefreshAsync(TestContext.Current.CancellationToken);
        using JsonDocument answer = await GetAsync("/items/a");
        Assert.Equal("a", answer.RootElement.GetProperty("item").GetString());
    }

    [Fact]
    public async Task Pointer_ThatIsNoNumber_IsNamedAndTheLastIndexServes()
    {
        await _redis.GetDatabase().StringSetAsync("e:items:active", "one");
        await UntilAsync(() =>
            Task.FromResult(_health.Parts().GetValueOrDefault("index")?.Contains("'one'", StringComparison.Ordinal) == true)
        );

        Assert.Equal(HealthLevel.Degraded, _health.Level);
        using JsonDocument answer = await GetAsync("/items/a");
        Assert.Equal("a", answer.RootElement.GetProperty("item").GetString());
    }

    [Fact]
    public async Task Lookups_StoreAway_AreAnsweredFromTheIndexAndSayHowOldItIs()
    {
        await _server.KillAsync();
        await UntilAsync(() => Task.FromResult(!_redis.IsConnected && _health.Level == HealthLevel.Degraded));

        using HttpResponseMessage known = await _client.GetAsync(
            new Uri("/items/c?width=4", UriKind.Relative),
            TestContext.Current.CancellationToken
        );
        JsonElement item = await known.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
        Assert.Equal([1, 0.5, 0, 0], item.GetProperty("vector").EnumerateArray().Select(value => value.GetDouble()));
        Assert.Equal(7, item.GetProperty("step").GetInt64());
        Assert.Matches("^[0-9]+$", Assert.Single(known.Headers.GetValues("X-Index-Age")));
        using JsonDocument near = await GetAsync("/items/a/neighbours?width=8&count=2");
        Assert.Equal(["c", "b"], Ids(near));

        using HttpResponseMessage unknown = await _client.GetAsync(
            new Uri("/items/x", UriKind.Relative),
            TestContext.Current.CancellationToken
        );
        Assert.Equal(HttpStatusCode.ServiceUnavailable, unknown.StatusCode);
        Assert.NotNull(unknown.Headers.RetryAfter);
        Assert.Contains(
            "the store cannot be read",
            await unknown.Content.ReadAsStringAsync(TestContext.Current.CancellationToken),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Page_NeedsNothingFromElsewhere()
    {
        string page = await _client.GetStringAsync(new Uri("/", UriKind.Relative), TestContext.Current.CancellationToken);

        Assert.StartsWith("<!doctype html>", page, StringComparison.Ordinal);
        Assert.DoesNotContain("http://", page, StringComparison.Ordinal);
        Assert.DoesNotContain("https://", page, StringComparison.Ordinal);
        Assert.DoesNotContain("innerHTML", page, StringComparison.Ordinal);
    }

    private static Refresh Item(string id, params float[] vector) =>
        new(XxHash64.Hash(System.Text.Encoding.UTF8.GetBytes(id)), id, vector, 7, 0, 0);

    private static IEnumerable<string?> Ids(JsonDocument answer) =>
        answer.RootElement.GetProperty("neighbours").EnumerateArray().Select(near => near.GetProperty("item").GetString());

    private static async Task UntilAsync(Func<Task<bool>> condition, [CallerArgumentExpression(nameof(condition))] string expected = "")
    {
        long start = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromMinutes(1), $"not within a minute: {expected}");
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }

    private async Task<(HttpStatusCode Status, JsonElement Problem)> ProblemAsync(HttpMethod method, string path, string? body = null)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : new StringContent(body) };

        // A body that is refused unread must not be on its way when the server closes the connection.
        request.Headers.ExpectContinue = body is not null;
        using HttpResponseMessage response = await _client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        JsonElement problem = await response.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
        Assert.Equal((int)response.StatusCode, problem.GetProperty("status").GetInt32());
        return (response.StatusCode, problem);
    }

    private async Task<JsonDocument> GetAsync(string path) =>
        JsonDocument.Parse(await _client.GetStringAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken));
}
