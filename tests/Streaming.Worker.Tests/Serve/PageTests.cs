using System.Diagnostics;
using Streaming.Tests;
using Xunit;

namespace Streaming.Worker.Tests.Serve;

/// <summary>The page in a real browser, installed by tests/run.sh.</summary>
public sealed class PageTests
{
    private static readonly string? Browser = new[]
    {
        "/usr/bin/chromium",
        "/usr/bin/chromium-browser",
        "/usr/bin/google-chrome",
    }.FirstOrDefault(File.Exists);

    [Fact]
    public async Task Page_InABrowser_ShowsFiguresAndNeighboursAsText()
    {
        Assert.True(Browser is not null, "no Chromium is installed (on Debian: apt-get install chromium)");
        using var demo = StreamingProcess.Start(
            ["demo", "--count", "600", "--interval", "1"],
            new Dictionary<string, string>
            {
                ["STREAMING__Model__Widths"] = "4,8",
                ["STREAMING__Model__Layers"] = "1",
                ["STREAMING__Model__HistoryLength"] = "8",
                ["STREAMING__Model__BankCapacity"] = "256",
                ["STREAMING__Model__ItemCapacity"] = "4000",
                ["STREAMING__Batching__BatchSize"] = "64",
                ["STREAMING__Http__Port"] = "0",
            }
        );
        string address = (await demo.WaitForLineAsync(line => line.StartsWith("serving lookups at ", StringComparison.Ordinal))).Split(' ')[
            3
        ];

        string page = await DumpAsync($"{address}?item=item-000007&width=8");

        Assert.Contains("<dd id=\"events\">600</dd>", page, StringComparison.Ordinal);
        Assert.Contains("<td>recent popularity</td>", page, StringComparison.Ordinal);
        Assert.Contains("at width 8</p>", page, StringComparison.Ordinal);
        Assert.Equal(10, page[page.IndexOf("<tbody id=\"neighbours\">", StringComparison.Ordinal)..].Split("<td>item-").Length - 1);

        page = await DumpAsync($"{address}?user=user-000001&width=4");
        Assert.Equal(10, page[page.IndexOf("<tbody id=\"recommendations\">", StringComparison.Ordinal)..].Split("<td>item-").Length - 1);
        Assert.Contains(
            "no history: what strangers are shown",
            await DumpAsync($"{address}?user=%3Cimg%20src%3Dx%3E"),
            StringComparison.Ordinal
        );

        Assert.Contains(
            "item \"&lt;img src=x&gt;\" has no embedding",
            await DumpAsync($"{address}?item=%3Cimg%20src%3Dx%3E"),
            StringComparison.Ordinal
        );
    }

    /// <summary>Returns the document after its scripts have run for a while.</summary>
    private static async Task<string> DumpAsync(string address)
    {
        string profile = Directory.CreateTempSubdirectory("page-").FullName;
        try
        {
            var information = new ProcessStartInfo(Browser!) { RedirectStandardOutput = true, RedirectStandardError = true };
            foreach (
                string argument in (string[])
                    [
                        "--headless",
                        "--no-sandbox",
                        "--disable-gpu",
                        "--disable-dev-shm-usage",
                        $"--user-data-dir={profile}",
                        "--virtual-time-budget=4000",
                        "--dump-dom",
                        address,
                    ]
            )
            {
                information.ArgumentList.Add(argument);
            }

            using Process browser = Process.Start(information)!;
            browser.ErrorDataReceived += static (_, _) => { };
            browser.BeginErrorReadLine();
            using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
            string page = await browser.StandardOutput.ReadToEndAsync(limit.Token);
            await browser.WaitForExitAsync(limit.Token);
            return page;
        }
        finally
        {
            Directory.Delete(profile, recursive: true);
        }
    }
}
