using Microsoft.Playwright;
using Xunit;

namespace Streaming.Worker.Tests.Page;

/// <summary>A real Chromium, installed by tests/run.sh, for the tests of a class.</summary>
public sealed class Browser : IAsyncLifetime
{
    private static readonly string? Program = new[]
    {
        "/usr/bin/chromium",
        "/usr/bin/chromium-browser",
        "/usr/bin/google-chrome",
    }.FirstOrDefault(File.Exists);

    private IPlaywright _playwright = null!;
    private IBrowser _browser = null!;

    public async ValueTask InitializeAsync()
    {
        Assert.True(Program is not null, "no Chromium is installed (on Debian: apt-get install chromium)");
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(
            new BrowserTypeLaunchOptions
            {
                ExecutablePath = Program,
                // Containers run as root and have a small /dev/shm.
                Args = ["--no-sandbox", "--disable-dev-shm-usage"],
                Timeout = BrowserPage.Patience,
            }
        );
    }

    public async ValueTask DisposeAsync()
    {
        await _browser.DisposeAsync();
        _playwright.Dispose();
    }

    /// <summary>Opens a tab of its own, without anything that earlier ones stored.</summary>
    public async Task<BrowserPage> OpenAsync(Uri server, string path = "", int width = 1280, int height = 900, bool dark = false)
    {
        IBrowserContext context = await _browser.NewContextAsync(
            new BrowserNewContextOptions
            {
                ViewportSize = new ViewportSize { Width = width, Height = height },
                ColorScheme = dark ? ColorScheme.Dark : ColorScheme.Light,
                BaseURL = server.ToString(),
            }
        );
        var page = new BrowserPage(context, await context.NewPageAsync(), server);
        await page.Tab.GotoAsync(path);
        return page;
    }
}
