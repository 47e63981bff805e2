using System.Net;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Playwright;
using Streaming.Worker.Figures;
using Streaming.Worker.Generations;
using Streaming.Worker.Health;
using Streaming.Worker.Http;
using Streaming.Worker.Metrics;
using Streaming.Worker.Page;
using Streaming.Worker.Serve;
using Streaming.Worker.Tests.Serve;
using Xunit;

namespace Streaming.Worker.Tests.Page;

/// <summary>What the page shows of a process that only serves or only trains, and of one that requires a key.</summary>
public sealed class PageSourceTests(Browser browser) : IClassFixture<Browser>, IDisposable
{
    private const string Attack = "<img src=x onerror=\"document.title='attacked'\">";

    private readonly PrometheusExposition _exposition = new("PageSourceTests");
    private readonly HealthReport _health = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _exposition.Dispose();

    [Fact]
    public async Task Serving_WithoutATrainer_ShowsLookups_AndSaysWhereTrainingIs()
    {
        await using PublishedShop shop = await PublishedShop.OpenAsync();
        await shop.PublishTowersAsync();
        await shop.PublishHistoryAsync("ann", "i1", "i2");
        using Lookups lookups = await LookupsAsync(shop);
        await using HttpEndpoint endpoint = await ServeAsync(new HttpOptions { Port = 0 }, lookups, shop);
        _health.Set("redis", HealthLevel.Degraded, "slow <b>today</b>");

        await using BrowserPage page = await browser.OpenAsync(endpoint.Address);
        await page.ReadsAsync("#no-training", "This process serves lookups and trains no model.");
        await page.ReadsAsync("#index", "Serving 30 items of generation 1.");
        await page.ReadsAsync("#parts", "redis degraded: slow <b>today</b>");
        await page.ReadsAsync("#health", "degraded");
        await page.ReadsAsync("#generations", "read now");
        await Assertions.Expect(page.Tab.Locator("#training")).ToBeHiddenAsync();
        await Assertions.Expect(page.Tab.Locator("#dead-panel")).ToBeHiddenAsync();

        await page.Tab.GotoAsync("?item=i3");
        await page.ReadsAsync("#item-title", Attack);
        await page.Tab.GotoAsync("?user=ann");
        await page.ReadsAsync("#recommendations tr:first-child td:last-child", "cosine");
        await page.CountsAsync("#history li", 2);
        Assert.Equal("ann · Streaming", await page.Tab.TitleAsync());
        Assert.Equal(0, await page.Tab.Locator("img").CountAsync());
    }

    [Fact]
    public async Task Training_WithoutLookups_SaysWhatAnswersThem_AndWhyNothingIsTrained()
    {
        _health.Set("trainer", HealthLevel.NotReady, "waiting for the lease");
        await using HttpEndpoint endpoint = await StartAsync(
            new HttpOptions { Port = 0 },
            new PageSource
            {
                Model = "shop",
                Pipeline = () => PipelineStatus.Empty,
                Figures = new FigureHistory(() => null, TimeProvider.System),
                Generations = () => null,
            }
        );

        await using BrowserPage page = await browser.OpenAsync(endpoint.Address);
        await page.ReadsAsync("#model", "shop");
        await page.ReadsAsync("#no-training", "Nothing is being trained now: the trainer is not ready: waiting for the lease.");
        await page.ReadsAsync("#no-generations", "The store is not connected yet.");
        await Assertions.Expect(page.Tab.Locator("#docs")).ToBeHiddenAsync();
        await page.Tab.GotoAsync("?view=items");
        await page.ReadsAsync("#items .no-lookups", "answers no lookups; `streaming serve` does");
        await Assertions.Expect(page.Tab.Locator("#search")).ToBeHiddenAsync();
    }

    [Fact]
    public async Task Key_IsAskedFor_KeptForTheTabAlone_AndAskedForAgainWhenItIsWrong()
    {
        string file = Path.Combine(Directory.CreateTempSubdirectory("keys-").FullName, "keys");
        await File.WriteAllTextAsync(file, "the-right-key-of-this-test\n", Stop);
        await using PublishedShop shop = await PublishedShop.OpenAsync();
        using Lookups lookups = await LookupsAsync(shop);
        await using HttpEndpoint endpoint = await ServeAsync(new HttpOptions { Port = 0, ApiKeyFile = file }, lookups, shop);

        await using BrowserPage page = await browser.OpenAsync(endpoint.Address, "?view=items&list=random&seed=1");
        await page.ReadsAsync("#key-message", "The server requires an API key.");
        await page.ReadsAsync("#items-message", "An API key is required");
        await page.Tab.GetByLabel("API key").FillAsync("wrong");
        await page.Tab.Keyboard.PressAsync("Enter");
        await page.ReadsAsync("#key-message", "The server refused this key.");
        await page.Tab.GetByLabel("API key").FillAsync("the-right-key-of-this-test");
        await page.Tab.Keyboard.PressAsync("Enter");
        await page.CountsAsync("#found li", 30);
        await Assertions.Expect(page.Tab.Locator("#unlock")).ToBeHiddenAsync();
        await page.Tab.ReloadAsync();
        await page.CountsAsync("#found li", 30);
        Assert.Equal(0, await page.Tab.EvaluateAsync<int>("localStorage.length + document.cookie.length"));
        Assert.DoesNotContain("the-right-key", page.Tab.Url, StringComparison.Ordinal);

        await using BrowserPage other = await browser.OpenAsync(endpoint.Address);
        await other.ShowsAsync("#unlock");
        await other.ReadsAsync("#index", "An API key is required");
        await other.ReadsAsync("#health", "healthy");
    }

    [Fact]
    public async Task Files_AllowOnlyThemselves_AndAreNotSentAgain()
    {
        await using HttpEndpoint endpoint = await StartAsync(new HttpOptions { Port = 0 }, new PageSource { Model = "shop" });
        using var client = new HttpClient { BaseAddress = endpoint.Address };
        string html = await client.GetStringAsync(new Uri("/", UriKind.Relative), Stop);

        Assert.DoesNotContain("style=", html, StringComparison.Ordinal);
        Assert.DoesNotMatch(@"<script(?![^>]*\ssrc=)|\son[a-z]+=", html);
        foreach (string path in (string[])["/", "/page/page.js", "/page/page.css", "/page/icon.svg"])
        {
            using HttpResponseMessage response = await client.GetAsync(new Uri(path, UriKind.Relative), Stop);
            string policy = Assert.Single(response.Headers.GetValues("Content-Security-Policy"));
            Assert.StartsWith("default-src 'none'; script-src 'self'; style-src 'self';", policy, StringComparison.Ordinal);
            Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
            using var again = new HttpRequestMessage(HttpMethod.Get, path);
            again.Headers.IfNoneMatch.Add(response.Headers.ETag!);
            using HttpResponseMessage same = await client.SendAsync(again, Stop);
            Assert.Equal(HttpStatusCode.NotModified, same.StatusCode);
        }
    }

    [Theory]
    [InlineData("/figures?resolution=hour", "resolution is \"hour\"; allowed: second, minute")]
    [InlineData("/figures?since=-1", "since is \"-1\"; allowed: a time in Unix milliseconds")]
    [InlineData("/figures?since=9223372036854775807", "since is \"9223372036854775807\"; allowed: a time in Unix milliseconds")]
    public async Task Figures_AskedForWrongly_SayWhatIsAllowed(string path, string detail)
    {
        await using HttpEndpoint endpoint = await StartAsync(
            new HttpOptions { Port = 0 },
            new PageSource { Model = "shop", Figures = new FigureHistory(() => null, TimeProvider.System) }
        );
        using var client = new HttpClient { BaseAddress = endpoint.Address };
        using HttpResponseMessage response = await client.GetAsync(new Uri(path, UriKind.Relative), Stop);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        using var problem = System.Text.Json.JsonDocument.Parse(await response.Content.ReadAsStringAsync(Stop));
        Assert.Equal(detail, problem.RootElement.GetProperty("detail").GetString());
    }

    private static async Task<Lookups> LookupsAsync(PublishedShop shop)
    {
        var lookups = new Lookups(
            shop.Redis.GetDatabase(),
            shop.Settings.Redis,
            shop.Settings.Serve,
            shop.Settings.Model.Widths,
            id => id == "i3" ? Attack : null,
            TimeProvider.System
        );
        await lookups.Updater.RefreshAsync(Stop);
        return lookups;
    }

    private Task<HttpEndpoint> ServeAsync(HttpOptions options, Lookups lookups, PublishedShop shop)
    {
        var generations = new GenerationList(
            shop.Redis.GetDatabase(),
            shop.Settings.Redis,
            shop.Settings.Model.Widths,
            TimeProvider.System
        );
        var served = new ServedGenerations(lookups);
        return StartAsync(
            options,
            new PageSource
            {
                Model = shop.Settings.Redis.Model,
                Served = served,
                Generations = () => generations,
            },
            routes =>
            {
                LookupRoutes.Map(routes, served, options);
                RecommendationRoutes.Map(routes, served, options);
                CatalogueRoutes.Map(routes, served);
                ListRoutes.Map(routes, served, options);
            },
            new IndexService(lookups, shop.Settings.Serve, _health, TimeProvider.System, NullLoggerFactory.Instance)
        );
    }

    private Task<HttpEndpoint> StartAsync(
        HttpOptions options,
        PageSource source,
        Action<IEndpointRouteBuilder>? lookups = null,
        IndexService? index = null
    ) =>
        HttpEndpoint.StartAsync(
            options,
            NullLoggerFactory.Instance,
            routes =>
            {
                OperationsRoutes.Map(routes, _health, _exposition);
                PageRoutes.Map(routes, source);
                lookups?.Invoke(routes);
            },
            Stop,
            index
        );
}
