using Microsoft.Playwright;
using Xunit;

namespace Streaming.Worker.Tests.Page;

/// <summary>The page of a demo in a real browser: figures, items, users, links and the keyboard.</summary>
public sealed class PageTests(Browser browser, FinishedDemo demo) : IClassFixture<Browser>, IClassFixture<FinishedDemo>
{
    [Fact]
    public async Task Live_ShowsFiguresOverTime_QualityHealthAndGenerations()
    {
        await using BrowserPage page = await browser.OpenAsync(demo.Address);

        await page.ReadsAsync("#now", "2,000");
        await page.ReadsAsync("#health", "healthy");
        await page.ReadsAsync("#index", "Serving");
        await page.ReadsAsync("#parts", "kafka");
        await page.ReadsAsync("#generations", "read now");
        await page.ReadsAsync("#quality", "width 8");
        await page.ReadsAsync("#quality", "recent popularity");
        await page.ReadsAsync("#no-dead", "Records that could not be used");
        await page.ReadsAsync("#dead", "Malformed");
        await page.CountsAsync("#charts figure", 7);
        foreach (string title in (string[])["Recall@20", "Throughput", "Loss", "Lag", "Freshness", "Memory bank", "Drift"])
        {
            ILocator figure = page.Tab.Locator("figure", new() { HasText = title }).First;
            await Assertions
                .Expect(figure.Locator("svg[role=img]"))
                .ToHaveAttributeAsync(
                    "aria-label",
                    new System.Text.RegularExpressions.Regex($"^{title} from "),
                    new() { Timeout = BrowserPage.Patience }
                );
            Assert.Matches("^M[0-9.]+ [0-9.]+h", await figure.Locator(".plot path.line").First.GetAttributeAsync("d"));
        }

        await page.ReadsAsync("figure:has-text(\"Recall@20\") .legend", "(baseline)");
    }

    [Fact]
    public async Task Chart_HasItsNumbersAsATable()
    {
        await using BrowserPage page = await browser.OpenAsync(demo.Address);
        ILocator figure = page.Tab.Locator("figure", new() { HasText = "Recall@20" });

        await figure.Locator("summary").ClickAsync();

        await Assertions.Expect(figure.Locator("thead th")).ToContainTextAsync(["Time", "width 4", "width 8"]);
        Assert.Matches(@"^[01]\.\d{4}$", await figure.Locator("tbody tr").First.Locator("td").First.InnerTextAsync());
    }

    [Fact]
    public async Task Day_BeforeTheFirstMinuteIsOver_SaysSo_OrShowsIt()
    {
        await using BrowserPage page = await browser.OpenAsync(demo.Address, "?range=day");

        await Assertions.Expect(page.Tab.Locator("#ranges [aria-current]")).ToHaveTextAsync("24 hours");
        ILocator said = page.Tab.GetByText("The first minute is not over yet.").First;
        ILocator drawn = page.Tab.Locator("figure svg[role=img]").First;
        await Assertions.Expect(said.Or(drawn).First).ToBeVisibleAsync(new() { Timeout = BrowserPage.Patience });
    }

    [Fact]
    public async Task Search_LeadsToAnItem_WhoseNeighboursAreSideBySide_AndBack()
    {
        await using BrowserPage page = await browser.OpenAsync(demo.Address, "?view=items");
        await page.Tab.GetByLabel("Title or id").FillAsync("amber lamp no. 1");
        await page.Tab.Keyboard.PressAsync("Enter");
        await page.ReadsAsync("#items-message", "match “amber lamp no. 1”");
        Assert.EndsWith("?search=amber+lamp+no.+1&view=items", page.Tab.Url, StringComparison.Ordinal);

        await page.Tab.Locator("#found a").First.ClickAsync();
        await page.ReadsAsync("#item-title", "amber lamp no. 1");
        await page.CountsAsync("#neighbours > div", 2);
        await page.CountsAsync("#neighbours li", 20);
        await page.ReadsAsync("#neighbours", "of 10 as at the full width");

        await page.Tab.ReloadAsync();
        await page.ReadsAsync("#item-title", "amber lamp no. 1");
        await page.Tab.GoBackAsync();
        await page.ShowsAsync("#found li >> nth=0");
        await Assertions.Expect(page.Tab.GetByLabel("Title or id")).ToHaveValueAsync("amber lamp no. 1");
    }

    [Fact]
    public async Task Item_SaysHowItsNeighboursAreRanked_AndOffersTheOtherRanking()
    {
        await using BrowserPage page = await browser.OpenAsync(demo.Address, "?item=item-000007");
        await page.ReadsAsync("#near-ranking", "together with counts of what occurs with the item");
        await page.CountsAsync("#neighbours li", 20);

        await page.Tab.GetByText("Rank by the vector alone.").ClickAsync();
        await page.ReadsAsync("#near-ranking", "Ranked by the cosine of the first values of the vectors.");
        await page.CountsAsync("#neighbours li", 20);
        Assert.EndsWith("?item=item-000007&counts=false", page.Tab.Url, StringComparison.Ordinal);

        await page.Tab.GetByText("Rank with counts.").ClickAsync();
        await page.ReadsAsync("#near-ranking", "together with counts of what occurs with the item");
    }

    [Fact]
    public async Task Link_ToAnItemAtAnotherWidth_ShowsThatWidthToo()
    {
        await using BrowserPage page = await browser.OpenAsync(demo.Address, "?item=item-000007&width=6");

        await page.CountsAsync("#neighbours > div", 3);
        await page.ReadsAsync("#neighbours", "Width 6");
    }

    [Theory]
    [InlineData("?view=items&list=random&seed=7", "drawn at random (seed 7)")]
    [InlineData("?view=items&list=popular", "What a user without a history is recommended")]
    public async Task Lists_AreLinks(string path, string message)
    {
        await using BrowserPage page = await browser.OpenAsync(demo.Address, path);

        await page.ReadsAsync("#items-message", message);
        await page.CountsAsync("#found li", 50);
        string first = await page.Tab.Locator("#found li").First.InnerTextAsync();
        await page.Tab.ReloadAsync();
        await page.ReadsAsync("#items-message", message);
        Assert.Equal(first, await page.Tab.Locator("#found li").First.InnerTextAsync());
    }

    [Fact]
    public async Task User_ShowsHistory_AndBecauseOfWhichOfItsItems()
    {
        await using BrowserPage page = await browser.OpenAsync(demo.Address, "?user=user-000001&width=4");

        await page.CountsAsync("#recommendations tr", 20);
        await page.ReadsAsync("#ranking", "At width 4");
        await Assertions.Expect(page.Tab.Locator("#user-width")).ToHaveValueAsync("4");
        await page.ReadsAsync("#recommendations tr:first-child td:last-child", "cosine");
        string because = await page.Tab.Locator("#recommendations tr:first-child td:last-child a").GetAttributeAsync("href") ?? "none";
        Assert.Contains(
            because,
            await Task.WhenAll((await page.Tab.Locator("#history a").AllAsync()).Select(link => link.GetAttributeAsync("href")))
        );
    }

    [Theory]
    [InlineData("?item=%3Cimg%20src%3Dx%3E", "#items-message", "Item \"<img src=x>\" has no embedding.")]
    [InlineData("?view=items&search=%3Cimg%20src%3Dx%3E", "#items-message", "No item matches “<img src=x>”.")]
    [InlineData("?user=%3Cimg%20src%3Dx%3E", "#no-history", "No history is published for this user")]
    [InlineData("?view=items&list=latest", "#items-message", "There are no popular or latest items: the trainer publishes no facts")]
    [InlineData("?view=items&list=none", "#items-message", "There is no list “none”; there are search, popular, recent, latest, random.")]
    [InlineData("?view=items&list=random&filter=colour:red", "#items-message", "There is no field \"colour\" to filter by")]
    [InlineData("?user=a&width=5", "#users-message", "Width is \"5\"; allowed: 4, 8.")]
    public async Task Questions_AreShownAsText_AndWhatIsWrongWithThem(string path, string selector, string text)
    {
        await using BrowserPage page = await browser.OpenAsync(demo.Address, path);

        await page.ReadsAsync(selector, text);
        Assert.Equal(0, await page.Tab.Locator("img").CountAsync());
    }

    [Fact]
    public async Task Keyboard_ReachesEveryView()
    {
        await using BrowserPage page = await browser.OpenAsync(demo.Address);
        await page.ReadsAsync("#health", "healthy");

        await page.Tab.Keyboard.PressAsync("Tab");
        Assert.Equal("Skip to the content", await FocusAsync(page));
        for (int i = 0; i < 3; i++)
        {
            await page.Tab.Keyboard.PressAsync("Tab");
        }

        Assert.Equal("Users", await FocusAsync(page));
        await page.Tab.Keyboard.PressAsync("Enter");
        await page.ShowsAsync("#users");
        await Assertions.Expect(page.Tab.Locator("#main")).ToBeFocusedAsync();
        await page.Tab.Keyboard.PressAsync("Tab");
        await page.Tab.Keyboard.TypeAsync("user-000001");
        await page.Tab.Keyboard.PressAsync("Enter");
        await page.CountsAsync("#recommendations tr", 20);
        await Assertions.Expect(page.Tab).ToHaveTitleAsync("user-000001 · Streaming");
    }

    private static Task<string> FocusAsync(BrowserPage page) => page.Tab.EvaluateAsync<string>("document.activeElement.textContent");
}
