using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Streaming.Core.Embeddings;
using Streaming.Worker.Health;
using Streaming.Worker.Http;
using Streaming.Worker.Metrics;
using Streaming.Worker.Serve;
using Streaming.Worker.Tests.Faults;
using Xunit;

namespace Streaming.Worker.Tests.Serve;

public sealed class RecommendationRoutesTests : IAsyncLifetime
{
    private PublishedShop _shop = null!;
    private Lookups _lookups = null!;
    private HttpEndpoint _endpoint = null!;
    private HttpClient _client = null!;
    private readonly RecordingLoggers _log = new();
    private readonly PrometheusExposition _exposition = new("RecommendationRoutesTests");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _shop = await PublishedShop.OpenAsync();
        _lookups = new Lookups(
            _shop.Redis.GetDatabase(),
            _shop.Settings.Redis,
            _shop.Settings.Serve,
            _shop.Settings.Model.Widths,
            id => id == "i3" ? "<b>bold</b>" : null,
            TimeProvider.System
        );
        _endpoint = await HttpEndpoint.StartAsync(
            new HttpOptions { Port = 0 },
            NullLoggerFactory.Instance,
            routes =>
            {
                LookupRoutes.Map(routes, new ServedGenerations(_lookups), _shop.Settings.Http);
                RecommendationRoutes.Map(routes, new ServedGenerations(_lookups), _shop.Settings.Http);
                ListRoutes.Map(routes, new ServedGenerations(_lookups), _shop.Settings.Http);
                BecauseRoutes.Map(routes, new ServedGenerations(_lookups), _shop.Settings.Http);
                CatalogueRoutes.Map(routes, new ServedGenerations(_lookups));
                OperationsRoutes.Map(routes, new HealthReport(), _exposition);
                ApiDescription.Map(routes);
            },
            Stop,
            new IndexService(_lookups, _shop.Settings.Serve, new HealthReport(), TimeProvider.System, _log)
        );
        await _lookups.Updater.RefreshAsync(Stop);
        _client = new HttpClient { BaseAddress = _endpoint.Address };
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _endpoint.DisposeAsync();
        _exposition.Dispose();
        _lookups.Dispose();
        await _shop.DisposeAsync();
    }

    [Fact]
    public async Task EveryOperationOfTheApiDescription_AnswersAsItSays()
    {
        await PublishTowersAsync();
        await PublishHistoryAsync("i1", ["i1", "i2"]);
        var description = new ApiDocument((await GetAsync("/openapi.json")).Body);

        Assert.Equal(13, description.Operations.Count);
        foreach (ApiOperation operation in description.Operations)
        {
            string path = operation.Path.Replace("{id}", "i1", StringComparison.Ordinal);
            (string query, string? body) = operation.Example();
            using var request = new HttpRequestMessage(operation.Method, path + query);
            request.Content = body is null ? null : new StringContent(body);
            using HttpResponseMessage response = await _client.SendAsync(request, Stop);
            string answer = await response.Content.ReadAsStringAsync(Stop);

            Assert.True(response.IsSuccessStatusCode, $"{operation.Path}{query}: {answer}");
            description.Check(operation, response.StatusCode, answer);
            if (operation.Parameters.Count > 0)
            {
                using var wrong = new HttpRequestMessage(operation.Method, path + "?nonsense=1");
                wrong.Content = body is null ? null : new StringContent(body);
                using HttpResponseMessage refusal = await _client.SendAsync(wrong, Stop);
                string problem = await refusal.Content.ReadAsStringAsync(Stop);
                description.Check(operation, refusal.StatusCode, problem);
                Assert.EndsWith(
                    $"allowed: {string.Join(", ", operation.Parameters)}",
                    JsonDocument.Parse(problem).RootElement.GetProperty("detail").GetString(),
                    StringComparison.Ordinal
                );
            }
        }
    }

    [Fact]
    public async Task Rules_InQueryAndBody_AnswerWithTheBestOfTheItemsThatPass()
    {
        await PublishTowersAsync();
        static bool Passes(int i) => i % 3 != 2 && i is >= 5 and <= 20 && (i % 5 == 0 || i % 4 != 0) && i % 2 != 0 && i != 7;
        const string query = "&filter=category:shoes|boots&filter=price:5..20&any=brand:acme&any=available:true&not=tags:sale&exclude=i7";

        (_, JsonElement near) = await GetAsync("/items/i1/neighbours?count=30" + query);
        Assert.Equal(Ids(Passes), IdsOf(near, "neighbours").Order(StringComparer.Ordinal));
        (_, JsonElement asked) = await PostAsync("/recommendations?count=30&exclude-seen=false" + query, """["i1"]""");
        Assert.Equal(Ids(Passes), IdsOf(asked, "recommendations").Order(StringComparer.Ordinal));

        (_, JsonElement told) = await PostAsync(
            "/recommendations?count=30&exclude-seen=false",
            """
            {"items":["i1"],"exclude":["i7"],"filter":{"must":["category:shoes|boots",{"field":"price","from":5,"to":20}],
             "any":[{"field":"brand","in":["acme"]},{"field":"available","in":[true]}],"not":["tags:sale"]}}
            """
        );
        Assert.Equal(IdsOf(asked, "recommendations"), IdsOf(told, "recommendations"));

        // The first of those that pass, not those that pass of the first.
        (_, JsonElement few) = await PostAsync("/recommendations?count=2&exclude-seen=false" + query, """["i1"]""");
        Assert.Equal(IdsOf(asked, "recommendations").Take(2), IdsOf(few, "recommendations"));
    }

    [Fact]
    public async Task BoostAndDiversify_InQueryAndBody_OrderAndLimit()
    {
        await PublishTowersAsync();
        (_, JsonElement plain) = await GetAsync("/items/i1/neighbours?count=29");
        (_, JsonElement raised) = await GetAsync("/items/i1/neighbours?count=29&boost=brand:acme:100");
        string[] acme = [.. IdsOf(plain, "neighbours").Where(static id => int.Parse(id[1..]) % 5 == 0)];
        Assert.Equal(acme.Where(id => ScoreOf(plain, id) > 0), IdsOf(raised, "neighbours").Take(acme.Count(id => ScoreOf(plain, id) > 0)));

        (_, JsonElement limited) = await GetAsync("/items/i1/neighbours?count=29&diversify=category:2");
        Assert.Equal(
            IdsOf(plain, "neighbours")
                .GroupBy(static id => int.Parse(id[1..]) % 3)
                .SelectMany(static group => group.Take(2))
                .Order(StringComparer.Ordinal),
            IdsOf(limited, "neighbours").Order(StringComparer.Ordinal)
        );
        const string body =
            """{"items":["i1"],"boost":[{"condition":"brand:acme","factor":2}],"diversify":{"field":"category","limit":2}}""";
        (_, JsonElement told) = await PostAsync("/recommendations", body);
        (_, JsonElement asked) = await PostAsync("/recommendations?boost=brand:acme:2&diversify=category:2", """["i1"]""");
        Assert.Equal(6, IdsOf(told, "recommendations").Length);
        Assert.Equal(IdsOf(told, "recommendations"), IdsOf(asked, "recommendations"));
    }

    [Theory]
    [InlineData("filter=colour:red", "there is no field \"colour\" to filter by; the fields are: category (text), brand (text), tags")]
    [InlineData("not=category:1..2", "\"category:1..2\" is a range, and field \"category\" is a text; ranges are allowed on: price")]
    [InlineData("any=price:cheap", "field \"price\" is a number, and \"cheap\" is none; allowed: price:10")]
    [InlineData("filter=price:50..10", "\"price:50..10\" is a range that ends before it begins")]
    [InlineData("filter=available:yes", "field \"available\" is \"yes\"; allowed: true or false")]
    [InlineData("filter=shoes", "\"shoes\" is not a condition; allowed: field:value, field:value|value or field:from..to")]
    [InlineData("boost=brand:acme", "boost is \"brand:acme\"; allowed: field:value:factor, as brand:acme:1.2")]
    [InlineData("boost=brand:acme:1000", "the boost of \"brand:acme\" is 1000; allowed: 0.01 to 100")]
    [InlineData("diversify=category", "diversify is \"category\"; allowed: field:limit, as category:3")]
    [InlineData("diversify=category:0", "\"category:0\" limits a value to 0 items; allowed: 1 and up")]
    [InlineData("diversify=price:3", "field \"price\" is a number; allowed to diversify by: category, brand, tags")]
    [InlineData("diversify=category:3&diversify=brand:3", "diversify is given 2 times; allowed: once")]
    public async Task Rules_ThatCannotBeUsed_Are400NamingFieldValueAndWhatIsAllowed(string query, string detail)
    {
        await PublishTowersAsync();
        foreach (string path in (string[])["/items/i1/neighbours", "/users/ann/recommendations"])
        {
            (HttpStatusCode status, JsonElement body) = await GetAsync($"{path}?{query}");
            Assert.Equal(HttpStatusCode.BadRequest, status);
            Assert.StartsWith(detail, body.GetProperty("detail").GetString(), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("""{"items":[],"filter":["category:shoes"]}""", "filter must be")]
    [InlineData("""{"items":[],"filter":{"should":["category:shoes"]}}""", "filter must be")]
    [InlineData("""{"items":[],"filter":{"must":"category:shoes"}}""", "filter must be")]
    [InlineData("""{"items":[],"filter":{"must":[7]}}""", "a condition must be")]
    [InlineData("""{"items":[],"filter":{"must":[{"field":"price","from":"a"}]}}""", "a condition must be")]
    [InlineData("""{"items":[],"filter":{"must":[{"field":"price"}]}}""", "a condition must be")]
    [InlineData("""{"items":[],"filter":{"must":[{"field":"price","in":[{}]}]}}""", "a condition must be")]
    [InlineData("""{"items":[],"filter":{"must":[{"field":"colour","in":["red"]}]}}""", "there is no field \"colour\"")]
    [InlineData("""{"items":[],"boost":{"brand:acme":2}}""", "boost must be")]
    [InlineData("""{"items":[],"boost":[{"condition":"brand:acme"}]}""", "boost must be")]
    [InlineData("""{"items":[],"diversify":3}""", "diversify must be")]
    [InlineData("""{"items":[],"diversify":{"field":"category"}}""", "diversify must be")]
    [InlineData("""{"items":[],"filters":{}}""", "the body must be")]
    public async Task Rules_BodyThatCannotBeRead_Is400SayingWhatIsAllowed(string sent, string detail)
    {
        await PublishTowersAsync();
        (HttpStatusCode status, JsonElement body) = await PostAsync("/recommendations", sent);
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.StartsWith(detail, body.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task PopularLatestAndAttributes_AreThoseOfTheFacts()
    {
        (HttpStatusCode status, JsonElement none) = await GetAsync("/popular");
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Contains("STREAMING__Items__Attributes", none.GetProperty("detail").GetString(), StringComparison.Ordinal);

        await PublishTowersAsync();
        (_, JsonElement popular) = await GetAsync("/popular?count=3&filter=category:shoes&exclude=i27");
        Assert.Equal(["i24", "i21", "i18"], IdsOf(popular, "items"));
        Assert.Equal(24, popular.GetProperty("items")[0].GetProperty("events").GetInt64());
        Assert.Equal(29, IdsOf((await GetAsync("/popular?count=100")).Body, "items").Length);
        Assert.Equal(["i3", "i6", "i9"], IdsOf((await GetAsync("/popular?count=3&recent=true&filter=category:shoes")).Body, "items"));
        Assert.Equal(29, IdsOf((await GetAsync("/popular?count=100&recent=true")).Body, "items").Length);
        (_, JsonElement latest) = await GetAsync("/latest?count=2&not=price:28..");
        Assert.Equal(["i27", "i26"], IdsOf(latest, "items"));

        (_, JsonElement attributes) = await GetAsync("/attributes");
        Assert.Equal(
            ["category text 30", "brand text 30", "tags texts 15", "price number 30", "available boolean 30"],
            attributes
                .GetProperty("attributes")
                .EnumerateArray()
                .Select(static field => $"{field.GetProperty("field")} {field.GetProperty("kind")} {field.GetProperty("items")}")
        );
        Assert.Equal(["bags 10", "boots 10", "shoes 10"], ValuesOf(0).Order(StringComparer.Ordinal));
        Assert.Equal(["other 24", "acme 6"], ValuesOf(1));
        Assert.Equal(["sale 15"], ValuesOf(2));
        Assert.Equal(["true 22", "false 8"], ValuesOf(4));
        JsonElement price = attributes.GetProperty("attributes")[3];
        Assert.Equal("""{"from":0,"to":29}""", price.GetProperty("range").GetRawText());
        Assert.False(price.TryGetProperty("values", out _));

        string[] ValuesOf(int field) =>
            [
                .. attributes
                    .GetProperty("attributes")[field]
                    .GetProperty("values")
                    .EnumerateArray()
                    .Select(static value => $"{value.GetProperty("value").GetString()} {value.GetProperty("items")}"),
            ];
    }

    [Fact]
    public async Task AttributeThatNoItemHas_IsLoggedOnce()
    {
        await PublishTowersAsync("colour");
        const string line = "None of the 30 items has a value of colour; if items should, check the trainer's STREAMING__Items__Attributes";
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while (!_log.Has(line))
        {
            await Task.Delay(20, limit.Token);
        }

        await Task.Delay(TimeSpan.FromSeconds(3), Stop); // The state is looked at every second.
        Assert.Equal(1, _log.Count("None of the 30 items"));
        Assert.Equal(0, (await GetAsync("/popular?filter=colour:red")).Body.GetProperty("items").GetArrayLength());
    }

    [Fact]
    public async Task Because_ListsTheNeighboursOfTheLatestItemsOnceEach()
    {
        await PublishTowersAsync();
        await PublishHistoryAsync("ann", ["i1", "i2", "i3", "i2"]);
        (HttpStatusCode status, JsonElement body) = await GetAsync("/users/ann/because?lists=2&count=4&filter=category:shoes|boots");

        Assert.Equal((HttpStatusCode.OK, 1), (status, body.GetProperty("generation").GetInt32()));
        JsonElement[] lists = [.. body.GetProperty("lists").EnumerateArray()];
        Assert.Equal(["i2", "i3"], lists.Select(static list => list.GetProperty("item").GetString()));
        Assert.Equal("<b>bold</b>", lists[1].GetProperty("title").GetString());
        (_, JsonElement near) = await GetAsync("/items/i2/neighbours?count=4&filter=category:shoes|boots&exclude=i1&exclude=i3");
        Assert.Equal(near.GetProperty("neighbours").ToString(), lists[0].GetProperty("items").ToString());
        (_, JsonElement all) = await GetAsync("/items/i3/neighbours?count=30&filter=category:shoes|boots");
        Assert.Equal(IdsOf(all, "neighbours").Except([.. IdsOf(near, "neighbours"), "i1", "i2"]).Take(4), IdsOf(lists[1], "items"));

        Assert.Empty((await GetAsync("/users/nobody/because")).Body.GetProperty("lists").EnumerateArray());
        (_, JsonElement session) = await GetAsync("/users/nobody/because?session=i7&diversify=category:1");
        JsonElement only = Assert.Single(session.GetProperty("lists").EnumerateArray());
        Assert.Equal(("i7", 3), (only.GetProperty("item").GetString(), only.GetProperty("items").GetArrayLength()));
    }

    [Fact]
    public async Task NeighboursAndBecause_OfAnItemWithCounts_AreFusedUnlessTheVectorAloneIsAskedFor()
    {
        await PublishTowersAsync();
        await PublishHistoryAsync("ann", ["i1", "i2"]);
        (_, JsonElement vector) = await GetAsync("/items/i2/neighbours?count=29");
        string last = IdsOf(vector, "neighbours")[^1];
        await _shop.PublishCountsAsync("i2", last);

        (_, JsonElement fused) = await GetAsync("/items/i2/neighbours?count=29");
        Assert.Equal(("vector", "fused"), (vector.GetProperty("ranking").GetString(), fused.GetProperty("ranking").GetString()));
        // 1/(40 + rank) of both lists: the farthest item, and first of those counted.
        Assert.Equal(last, IdsOf(fused, "neighbours")[0]);
        Assert.Equal(Math.Round((1f / 40) + (1f / 68), 4), ScoreOf(fused, last), 1e-9);
        Assert.Equal(IdsOf(vector, "neighbours")[..^1], IdsOf(fused, "neighbours")[1..]);
        (_, JsonElement alone) = await GetAsync("/items/i2/neighbours?count=29&counts=false");
        Assert.Equal(vector.ToString(), alone.ToString());

        (_, JsonElement because) = await GetAsync("/users/ann/because?lists=2&count=3");
        JsonElement[] lists = [.. because.GetProperty("lists").EnumerateArray()];
        Assert.Equal(["fused", "vector"], lists.Select(static list => list.GetProperty("ranking").GetString()));
        Assert.Equal(last, IdsOf(lists[0], "items")[0]);
        (_, because) = await GetAsync("/users/ann/because?lists=1&count=3&counts=false");
        Assert.Equal(IdsOf(vector, "neighbours").Where(static id => id != "i1").Take(3), IdsOf(because.GetProperty("lists")[0], "items"));
        Assert.Equal(HttpStatusCode.BadRequest, (await GetAsync("/items/i2/neighbours?counts=perhaps")).Status);
    }

    [Fact]
    public async Task NewUserAndColdItem_AreSaid()
    {
        await PublishTowersAsync();
        await PublishHistoryAsync("ann", ["i1", "i2"]);
        (_, JsonElement known) = await GetAsync("/users/ann/recommendations?count=30");
        (_, JsonElement stranger) = await GetAsync("/users/nobody/recommendations?count=30");

        Assert.Equal((false, true), (known.GetProperty("newUser").GetBoolean(), stranger.GetProperty("newUser").GetBoolean()));
        Assert.Equal(
            ["i0"],
            stranger
                .GetProperty("recommendations")
                .EnumerateArray()
                .Where(static item => item.TryGetProperty("cold", out JsonElement cold) && cold.GetBoolean())
                .Select(static item => item.GetProperty("item").GetString()!)
        );
    }

    [Fact]
    public async Task Docs_ShowTheApiDescription()
    {
        string page = await _client.GetStringAsync(new Uri("/docs/", UriKind.Relative), Stop);

        Assert.Contains("openapi.json", page, StringComparison.Ordinal);
        Assert.DoesNotContain("https://", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task User_WithHistory_IsShownOtherItemsAndStrangersTheStart()
    {
        await PublishTowersAsync();
        await PublishHistoryAsync("ann/é %2F", ["i1", "i2", "i3"]);
        (HttpStatusCode status, JsonElement ann) = await GetAsync("/users/ann%2F%C3%A9%20%252F/recommendations?count=27&width=8");

        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal(["i1", "i2", "i3"], Items(ann, "history"));
        Assert.Equal("<b>bold</b>", ann.GetProperty("history")[2].GetProperty("title").GetString());
        Assert.Equal(27, Items(ann, "recommendations").Except(["i1", "i2", "i3"]).Count());
        Assert.Equal((1, 9), (ann.GetProperty("generation").GetInt32(), ann.GetProperty("step").GetInt32()));

        JsonElement all = (await GetAsync("/users/ann%2F%C3%A9%20%252F/recommendations?count=1000&exclude-seen=false")).Body;
        Assert.Equal(30, Items(all, "recommendations").Distinct().Count());
        JsonElement stranger = (await GetAsync("/users/eve/recommendations?count=5")).Body;
        Assert.Empty(Items(stranger, "history"));
        Assert.Equal(5, Items(stranger, "recommendations").Count());
    }

    [Fact]
    public async Task Items_AsTheHistory_GiveWhatTheUserWithThemGets()
    {
        await PublishTowersAsync();
        await PublishHistoryAsync("ann", ["i1", "i2", "i3"]);
        JsonElement ann = (await GetAsync("/users/ann/recommendations?width=4")).Body;
        JsonElement items = (await PostAsync("/recommendations?width=4", "[\"i1\",\"unknown\",\"i2\",\"i3\"]")).Body;

        Assert.Equal(Items(ann, "recommendations"), Items(items, "recommendations"));
        Assert.Equal(["i1", "i2", "i3"], Items(items, "history"));
        Assert.Equal(20, Items((await PostAsync("/recommendations", "[]")).Body, "recommendations").Count());
    }

    [Fact]
    public async Task Exclude_InQueryAndBody_IsLeftOut()
    {
        await PublishTowersAsync();
        await PublishHistoryAsync("ann", ["i1", "i2", "i3"]);
        string[] query = [.. Items((await GetAsync("/users/ann/recommendations?count=30&exclude=i7&exclude=i8")).Body, "recommendations")!];
        string[] body =
        [
            .. Items(
                (
                    await PostAsync(
                        "/recommendations?count=30&exclude=i7",
                        "{\"items\":[\"i1\",\"i2\",\"i3\"],\"exclude\":[\"i8\",\"unknown\"]}"
                    )
                ).Body,
                "recommendations"
            )!,
        ];

        Assert.Equal(25, query.Except(["i1", "i2", "i3", "i7", "i8"]).Count());
        Assert.Equal(25, query.Length);
        Assert.Equal(query, body);
    }

    [Theory]
    [InlineData("width=5", "width is \"5\"; allowed: 4, 8")]
    [InlineData("width=9", "width is \"9\"; allowed: 1 to 8")]
    [InlineData("count=0", "count is \"0\"; allowed: 1 to 1000")]
    [InlineData(
        "excludeseen=true",
        "unknown parameter \"excludeseen\"; allowed: width, count, exclude-seen, exclude, counts, shortlist, "
            + "filter, any, not, boost, diversify"
    )]
    [InlineData("exclude-seen=1", "exclude-seen is \"1\"; allowed: true or false")]
    public async Task Parameter_Wrong_SaysWhatIsAllowed(string query, string message)
    {
        await PublishTowersAsync();
        foreach (
            (HttpStatusCode status, JsonElement body) in ((HttpStatusCode, JsonElement)[])
                [await GetAsync("/users/ann/recommendations?" + query), await PostAsync("/recommendations?" + query, "[]")]
        )
        {
            Assert.Equal(HttpStatusCode.BadRequest, status);
            Assert.StartsWith(message, body.GetProperty("detail").GetString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Session_ContinuesTheHistory()
    {
        await PublishTowersAsync();
        await PublishHistoryAsync("ann", ["i1", "i2"]);
        JsonElement user = (await GetAsync("/users/ann/recommendations?session=i2&session=i5")).Body;
        JsonElement whole = (await PostAsync("/recommendations", "[\"i1\",\"i2\",\"i5\"]")).Body;
        Assert.Equal(["i1", "i2", "i5"], Items(user, "history")!);
        Assert.Equal(Items(whole, "recommendations")!, Items(user, "recommendations")!);
    }

    [Theory]
    [InlineData("session=", "session is \"\"; allowed: an item's id")]
    [InlineData("session=1&session=2&session=3&session=4&session=5&session=6&session=7", "session is given 7 times; allowed: up to 6")]
    public async Task Session_Wrong_SaysWhatIsAllowed(string query, string message)
    {
        await PublishTowersAsync();
        (HttpStatusCode status, JsonElement body) = await GetAsync("/users/ann/recommendations?" + query);
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal(message, body.GetProperty("detail").GetString());
    }

    [Theory]
    [InlineData("[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\"]")]
    [InlineData("[\"a\",\"\"]")]
    [InlineData("\"a\"")]
    [InlineData("{\"exclude\":[]}")]
    [InlineData("{\"items\":[],\"excluded\":[]}")]
    [InlineData("{\"items\":[],\"exclude\":7}")]
    public async Task Items_BadBody_IsRefused(string body)
    {
        (HttpStatusCode status, JsonElement answer) = await PostAsync("/recommendations", body);
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal(
            "the body must be a JSON list of 0 to 6 item ids, or an object with such lists named items and exclude, "
                + "and filter, boost, diversify",
            answer.GetProperty("detail").GetString()
        );
    }

    [Fact]
    public async Task User_NoTowerOrOneThatDoesNotFit_Is503()
    {
        (HttpStatusCode status, JsonElement body) = await GetAsync("/users/ann/recommendations");
        Assert.Equal(
            (HttpStatusCode.ServiceUnavailable, "no user tower of width 8 is published yet"),
            (status, body.GetProperty("detail").GetString())
        );

        await PublishTowersAsync();
        await _shop.Redis.GetDatabase().StringSetAsync(new RedisKeys("items").Tower(1, 8), "rubbish");
        (status, body) = await GetAsync("/users/ann/recommendations");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
        Assert.StartsWith("m:items:tower:1:8: ", body.GetProperty("detail").GetString(), StringComparison.Ordinal);

        await _shop.Redis.GetDatabase().StringSetAsync(new RedisKeys("items").User(RedisKeys.Hash("ann")), "rubbish");
        (status, body) = await GetAsync("/users/ann/recommendations?width=4");
        Assert.Equal(
            (HttpStatusCode.ServiceUnavailable, "Foreign: the 7 bytes of the user's history were rejected."),
            (status, body.GetProperty("detail").GetString())
        );
    }

    [Fact]
    public async Task User_StoreAway_Is503()
    {
        await PublishTowersAsync();
        await GetAsync("/users/ann/recommendations");
        await _shop.Server.KillAsync();

        (HttpStatusCode status, JsonElement body) = await GetAsync("/users/ann/recommendations");

        Assert.Equal((HttpStatusCode.ServiceUnavailable, "the store does not answer"), (status, body.GetProperty("detail").GetString()));
    }

    private static double ScoreOf(JsonElement body, string id) =>
        body.GetProperty("neighbours")
            .EnumerateArray()
            .Single(item => item.GetProperty("item").GetString() == id)
            .GetProperty("score")
            .GetDouble();

    private static IEnumerable<string?> Items(JsonElement answer, string list) =>
        answer.GetProperty(list).EnumerateArray().Select(item => item.GetProperty("item").GetString());

    private async Task<(HttpStatusCode Status, JsonElement Body)> GetAsync(string path)
    {
        using HttpResponseMessage response = await _client.GetAsync(new Uri(path, UriKind.Relative), Stop);
        return (response.StatusCode, await response.Content.ReadFromJsonAsync<JsonElement>(Stop));
    }

    private async Task<(HttpStatusCode Status, JsonElement Body)> PostAsync(string path, string body)
    {
        using var content = new StringContent(body);
        using HttpResponseMessage response = await _client.PostAsync(new Uri(path, UriKind.Relative), content, Stop);
        return (response.StatusCode, await response.Content.ReadFromJsonAsync<JsonElement>(Stop));
    }

    private static string[] IdsOf(JsonElement body, string list) =>
        [.. body.GetProperty(list).EnumerateArray().Select(item => item.GetProperty("item").GetString()!)];

    private static IEnumerable<string> Ids(Func<int, bool> pick) =>
        Enumerable.Range(0, 30).Where(pick).Select(i => $"i{i}").Order(StringComparer.Ordinal);

    private async Task PublishTowersAsync(params string[] more)
    {
        await _shop.PublishTowersAsync([.. PublishedShop.Attributes, .. more]);
        await _lookups.Updater.RefreshAsync(Stop); // loads the attributes
    }

    private Task PublishHistoryAsync(string user, string[] items) => _shop.PublishHistoryAsync(user, items);
}
