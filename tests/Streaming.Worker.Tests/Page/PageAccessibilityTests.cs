using Deque.AxeCore.Commons;
using Deque.AxeCore.Playwright;
using Xunit;

namespace Streaming.Worker.Tests.Page;

/// <summary>axe over every view, on a telephone, a laptop and a large screen, light and dark.</summary>
public sealed class PageAccessibilityTests(Browser browser, FinishedDemo demo) : IClassFixture<Browser>, IClassFixture<FinishedDemo>
{
    private static readonly (string Path, string Shown)[] Views =
    [
        ("", "figure svg[role=img] >> nth=6"),
        ("?view=items&search=lamp", "#found li >> nth=0"),
        ("?item=item-000007", "#neighbours li >> nth=19"),
        ("?view=users", "#users-message"),
        ("?user=user-000001", "#recommendations td.text a >> nth=0"),
        ("?user=nobody", "#recommendations tr >> nth=0"),
        ("?item=nothing", "#items-message.error"),
    ];

    [Theory]
    [InlineData(400, 800, false)]
    [InlineData(400, 800, true)]
    [InlineData(1280, 900, false)]
    [InlineData(1280, 900, true)]
    [InlineData(3840, 2160, false)]
    [InlineData(3840, 2160, true)]
    public async Task EveryView_HasNoFinding_AndFitsTheScreen(int width, int height, bool dark)
    {
        foreach ((string path, string shown) in Views)
        {
            await using BrowserPage page = await browser.OpenAsync(demo.Address, path, width, height, dark);
            await page.ShowsAsync(shown);
            await page.Tab.EvaluateAsync("for (const table of document.querySelectorAll('details')) table.open = true");

            AxeResult result = await page.Tab.RunAxe();

            Assert.NotEmpty(result.Passes);
            Assert.Empty(result.Violations.Select(finding => $"{path}: {finding.Id} {finding.Help} {finding.Nodes[0].Html}"));
            Assert.Equal(width, await page.Tab.EvaluateAsync<int>("document.documentElement.scrollWidth"));
        }
    }

    [Fact]
    public async Task Axe_FindsWhatIsWrong()
    {
        await using BrowserPage page = await browser.OpenAsync(demo.Address, "?view=users");
        await page.ShowsAsync("#users-message");
        await page.Tab.EvaluateAsync("document.querySelector('label[for=user]').remove()");

        Assert.Contains("label", (await page.Tab.RunAxe()).Violations.Select(finding => finding.Id));
    }
}
