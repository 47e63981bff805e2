using Microsoft.Playwright;
using Xunit;

namespace Streaming.Worker.Tests.Page;

/// <summary>A tab. When it is closed it must have logged no error and asked no other host for anything.</summary>
public sealed class BrowserPage : IAsyncDisposable
{
    /// <summary>How long to wait for what must come, in milliseconds.</summary>
    public const float Patience = 120_000;

    private readonly IBrowserContext _context;
    private readonly List<string> _faults = [];

    public BrowserPage(IBrowserContext context, IPage tab, Uri server)
    {
        _context = context;
        Tab = tab;
        tab.SetDefaultTimeout(Patience);
        tab.PageError += (_, error) => Note($"error: {error}");
        tab.Console += (_, message) =>
        {
            // Chromium logs each refused request as well; what the page shows of it is for the tests to check.
            if (message.Type == "error" && !message.Text.StartsWith("Failed to load resource", StringComparison.Ordinal))
            {
                Note($"console: {message.Text}");
            }
        };
        tab.Request += (_, request) =>
        {
            if (new Uri(request.Url).Authority != server.Authority)
            {
                Note($"request to {request.Url}");
            }
        };
    }

    public IPage Tab { get; }

    /// <summary>Waits until an element says something.</summary>
    public async Task ReadsAsync(string selector, string text) =>
        await Assertions.Expect(Tab.Locator(selector)).ToContainTextAsync(text, new() { Timeout = Patience });

    /// <summary>Waits until there is a number of elements.</summary>
    public async Task CountsAsync(string selector, int count) =>
        await Assertions.Expect(Tab.Locator(selector)).ToHaveCountAsync(count, new() { Timeout = Patience });

    /// <summary>Waits until an element is shown.</summary>
    public async Task ShowsAsync(string selector) =>
        await Assertions.Expect(Tab.Locator(selector)).ToBeVisibleAsync(new() { Timeout = Patience });

    public async ValueTask DisposeAsync()
    {
        await _context.DisposeAsync();
        lock (_faults)
        {
            Assert.Empty(_faults);
        }
    }

    private void Note(string fault)
    {
        lock (_faults)
        {
            _faults.Add(fault);
        }
    }
}
