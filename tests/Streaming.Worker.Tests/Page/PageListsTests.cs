using System.Text.RegularExpressions;
using Deque.AxeCore.Commons;
using Deque.AxeCore.Playwright;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Playwright;
using Streaming.Worker.Health;
using Streaming.Worker.Http;
using Streaming.Worker.Metrics;
using Streaming.Worker.Page;
using Streaming.Worker.Serve;
using Streaming.Worker.Tests.Serve;
using Xunit;

namespace Streaming.Worker.Tests.Page;

/// <summary>The page over a catalogue with attributes and a generation on trial: lists, filters and the choice of a generation.</summary>
public sealed class PageListsTests(Browser browser) : IClassFixture<Browser>, IAsyncLifetime
{
    private readonly PrometheusExposition _exposition = new("PageListsTests");
    private readonly HealthReport _health = new();
    private PublishedShop _shop = null!;
    private Lookups _active = null!;
    private Lookups _trial = null!;
    private HttpEndpoint _endpoint = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _shop = await PublishedShop.OpenAsync();
        await _shop.PublishItemsAsync(2);
        foreach (uint generation in (uint[])[1, 2])
        {
            await _shop.PublishTowersAsync(generation, PublishedShop.Attributes);
        }

        await _shop.PublishHistoryAsync("ann", "i1", "i2");
        (_active, _trial) = (Open(0), Open(2));
        await _active.Updater.RefreshAsync(Stop);
        await _trial.Updater.RefreshAsync(Stop);
        // Everybody is of the trial.
        var served = new ServedGenerations(_active, _trial, share: 1);
        _endpoint = await HttpEndpoint.StartAsync(
            new HttpOptions { Port = 0 },
            NullLoggerFactory.Instance,
            routes => Map(routes, served),
            Stop,
            new IndexService(_active, _shop.Settings.Serve, _health, TimeProvider.System, NullLoggerFactory.Instance)
        );
    }

    public async ValueTask DisposeAsync()
    {
        await _endpoint.DisposeAsync();
        _trial.Dispose();
        _active.Dispose();
        await _shop.DisposeAsync();
        _exposition.Dispose();
    }

    [Theory]
    [InlineData("Popular", "list=popular", "The 30 items with the most events since they became known.", "i29 28 27")]
    [InlineData("Popular lately", "list=recent", "The 29 items with the most events of late.", "i1 2 3")]
    [InlineData("Latest", "list=latest", "The 30 items that became known last, the latest first.", "i29 28 27")]
    public async Task Lists_AreButtons_WhoseAnswersAreLinks(string button, string address, string message, string first)
    {
        // Item 0 had no event.
        message = message.Replace("30 items with", "29 items with", StringComparison.Ordinal);
        await using BrowserPage page = await browser.OpenAsync(_endpoint.Address, "?view=items");

        await page.Tab.GetByRole(AriaRole.Button, new() { Name = button, Exact = true }).ClickAsync();

        await page.ReadsAsync("#items-message", message);
        Assert.EndsWith($"?{address}&view=items", page.Tab.Url, StringComparison.Ordinal);
        Assert.Equal(first, await FirstAsync(page));
        await page.Tab.ReloadAsync();
        await page.ReadsAsync("#items-message", message);
        Assert.Equal(first, await FirstAsync(page));
        await page.ReadsAsync("#found li:first-child", " events");
    }

    [Fact]
    public async Task Filter_IsSetByTheKeyboard_KeptInTheLink_AndRestoredFromIt()
    {
        await using BrowserPage page = await browser.OpenAsync(_endpoint.Address, "?view=items");
        await page.ShowsAsync("#search .rules");
        ILocator summary = page.Tab.Locator("#search summary");
        await summary.FocusAsync();
        await page.Tab.Keyboard.PressAsync("Enter");
        await page.Tab.Keyboard.PressAsync("Tab");
        await page.Tab.Keyboard.TypeAsync("shoes|boots");
        await page.Tab.GetByLabel("price from").FillAsync("10");
        await page.Tab.GetByLabel("price to").FillAsync("20");
        await page.Tab.GetByLabel("available").SelectOptionAsync("true");

        await page.Tab.Keyboard.PressAsync("Tab");
        await page.Tab.GetByRole(AriaRole.Button, new() { Name = "Latest" }).ClickAsync();

        await page.ReadsAsync("#items-message", "known last, of those that pass the filter");
        Assert.Equal("i19 18 15 13 10", await FirstAsync(page, 5));
        await page.CountsAsync("#found li", 5);
        Assert.Contains(
            "filter=category%3Ashoes%7Cboots&filter=price%3A10..20&filter=available%3Atrue",
            page.Tab.Url,
            StringComparison.Ordinal
        );
        await page.Tab.ReloadAsync();
        await page.CountsAsync("#found li", 5);
        await Assertions.Expect(page.Tab.GetByLabel("category")).ToHaveValueAsync("shoes|boots");
        await Assertions.Expect(page.Tab.GetByLabel("price to")).ToHaveValueAsync("20");
        await Assertions.Expect(page.Tab.GetByLabel("available")).ToHaveValueAsync("true");

        await page.Tab.GetByLabel("Title or id").FillAsync("i18");
        await page.Tab.Keyboard.PressAsync("Enter");
        await page.ReadsAsync("#items-message", "One item matches “i18”, of those that pass the filter.");
    }

    [Fact]
    public async Task Attributes_OfferTheirCommonestValues()
    {
        await using BrowserPage page = await browser.OpenAsync(_endpoint.Address, "?view=items");
        await page.ShowsAsync("#search .rules");

        Assert.Equal(
            ["other", "acme"],
            await page.Tab.Locator("#search-rule-brand-values option").EvaluateAllAsync<string[]>("all => all.map(one => one.value)")
        );
        Assert.Equal("29", await page.Tab.GetByLabel("price to").GetAttributeAsync("placeholder"));
    }

    [Fact]
    public async Task Conditions_ThatNoControlHolds_AreObeyedShownAndRemovable()
    {
        await using BrowserPage page = await browser.OpenAsync(
            _endpoint.Address,
            "?view=items&list=latest&not=tags:sale&filter=brand:acme"
        );
        await page.CountsAsync("#found li", 3);
        await page.ReadsAsync("#search summary", "Filter: brand:acme, not tags:sale");

        await page.Tab.GetByLabel("Title or id").FillAsync("i1");
        await page.Tab.Keyboard.PressAsync("Enter");
        await page.CountsAsync("#found li", 1); // i15
        Assert.Contains("not=tags%3Asale", page.Tab.Url, StringComparison.Ordinal);

        await page.Tab.GetByRole(AriaRole.Link, new() { Name = "Remove not tags:sale" }).ClickAsync();
        await page.CountsAsync("#found li", 2); // i10, i15
    }

    [Fact]
    public async Task User_IsRecommendedWhatPassesTheFilter()
    {
        await using BrowserPage page = await browser.OpenAsync(_endpoint.Address, "?view=users");
        await page.Tab.GetByLabel("User id").FillAsync("ann");
        await page.Tab.Locator("#ask summary").ClickAsync();
        await page.Tab.GetByLabel("brand").FillAsync("acme");
        await page.Tab.Keyboard.PressAsync("Enter");

        await page.ReadsAsync("#ranking", "only items that pass the filter");
        await page.CountsAsync("#recommendations tr", 6);
        await page.ReadsAsync("#recommendations tr:first-child td:last-child", "cosine");
        foreach (string item in await page.Tab.Locator("#recommendations th a").AllInnerTextsAsync())
        {
            Assert.Matches("^i(0|5|10|15|20|25)$", item);
        }
    }

    [Fact]
    public async Task Generation_IsChosenByALink_ThatOtherLinksKeep()
    {
        await using BrowserPage page = await browser.OpenAsync(_endpoint.Address);
        await page.ReadsAsync("#trial", "Generation 2 is on trial: its 30 items answer 100.0 % of the users.");
        await Assertions.Expect(page.Tab.Locator("#served")).ToBeHiddenAsync();

        await page.Tab.GotoAsync("?user=ann");
        await page.ReadsAsync("#ranking", "generation 2 (a user of the trial)");
        await page.ReadsAsync("#served [aria-current]", "As served");
        string[] drawn = await RecommendedAsync(page);

        await page.Tab.GetByRole(AriaRole.Link, new() { Name = "Generation 1" }).ClickAsync();
        await page.ReadsAsync("#ranking", "generation 1, after");
        Assert.NotEqual(drawn, await RecommendedAsync(page));
        await page.ReadsAsync("#served [aria-current]", "Generation 1");
        await page.Tab.Locator("#recommendations th a").First.ClickAsync();
        await page.CountsAsync("#neighbours > div", 2);
        Assert.Matches("[?&]generation=1", page.Tab.Url);

        await page.Tab.GetByRole(AriaRole.Link, new() { Name = "Trial 2" }).ClickAsync();
        await Assertions.Expect(page.Tab).ToHaveURLAsync(new Regex("item=i[0-9]+&generation=2$"));
        await page.Tab.GetByRole(AriaRole.Link, new() { Name = "Users" }).ClickAsync();
        await page.Tab.GetByLabel("User id").FillAsync("ann");
        await page.Tab.Keyboard.PressAsync("Enter");
        await page.ReadsAsync("#ranking", "generation 2, after");
        Assert.Equal(drawn, await RecommendedAsync(page));
    }

    [Fact]
    public async Task Generation_ThatIsNotServed_IsToldWithThoseThatAre()
    {
        await using BrowserPage page = await browser.OpenAsync(_endpoint.Address, "?view=items&list=latest&generation=7");

        await page.ReadsAsync("#items-message", "Generation is \"7\"; allowed: 1, 2.");
    }

    [Theory]
    [InlineData(400, 800, false)]
    [InlineData(1280, 900, true)]
    [InlineData(3840, 2160, false)]
    public async Task EveryView_HasNoFinding_AndFitsTheScreen(int width, int height, bool dark)
    {
        (string Path, string Shown)[] views =
        [
            ("", "#trial"),
            ("?view=items&list=popular&generation=2", "#found li >> nth=0"),
            ("?view=items&list=latest&filter=category:shoes&filter=price:3..&not=tags:sale", "#found li >> nth=0"),
            ("?item=i3&filter=brand:other", "#neighbours li >> nth=0"),
            ("?user=ann&filter=available:true&any=tags:sale", "#recommendations td.text a >> nth=0"),
        ];
        foreach ((string path, string shown) in views)
        {
            await using BrowserPage page = await browser.OpenAsync(_endpoint.Address, path, width, height, dark);
            await page.ShowsAsync(shown);
            if (path.Length > 0)
            {
                // What comes with the status.
                await page.ShowsAsync("#served");
                await page.ShowsAsync(".rules:visible");
            }

            AxeResult result = await page.Tab.RunAxe();

            Assert.NotEmpty(result.Passes);
            Assert.Empty(result.Violations.Select(finding => $"{path}: {finding.Id} {finding.Help} {finding.Nodes[0].Html}"));
            Assert.Equal(width, await page.Tab.EvaluateAsync<int>("document.documentElement.scrollWidth"));
        }
    }

    private static async Task<string> FirstAsync(BrowserPage page, int count = 3)
    {
        await page.ShowsAsync("#found li >> nth=0");
        IReadOnlyList<string> ids = await page.Tab.Locator("#found a").AllInnerTextsAsync();
        return "i" + string.Join(' ', ids.Take(count).Select(static id => id[1..]));
    }

    private static async Task<string[]> RecommendedAsync(BrowserPage page) =>
        [.. await page.Tab.Locator("#recommendations th a").AllInnerTextsAsync()];

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

    private void Map(IEndpointRouteBuilder routes, ServedGenerations served)
    {
        var options = new HttpOptions();
        OperationsRoutes.Map(routes, _health, _exposition);
        LookupRoutes.Map(routes, served, options);
        RecommendationRoutes.Map(routes, served, options);
        CatalogueRoutes.Map(routes, served);
        ListRoutes.Map(routes, served, options);
        PageRoutes.Map(routes, new PageSource { Model = "shop", Served = served });
    }
}
