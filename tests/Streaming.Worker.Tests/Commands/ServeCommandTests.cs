using System.Net.Http.Json;
using System.Text.Json;
using Streaming.Tests;
using Streaming.Worker.Failures;
using Streaming.Worker.Tests.Serve;
using Xunit;

namespace Streaming.Worker.Tests.Commands;

public sealed class ServeCommandTests : IDisposable
{
    private readonly TemporaryFiles _files = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _files.Dispose();

    [Fact]
    public async Task ItemColumns_NameTheTitlesOfOtherFiles()
    {
        await using PublishedShop shop = await PublishedShop.OpenAsync();
        string items = _files.Write("products.csv", "sku,name,maker\ni1,Red lamp,Acme\n");
        using var serve = StreamingProcess.Start(
            ["serve", "--items", items, "--item-columns", "item=sku,title=name"],
            new Dictionary<string, string>
            {
                ["STREAMING__Redis__Configuration"] = shop.Server.Configuration,
                ["STREAMING__Model__Widths"] = "4,8",
                ["STREAMING__Http__Port"] = "0",
            }
        );
        string line = await serve.WaitForLineAsync(static line => line.Contains("http://127.0.0.1:", StringComparison.Ordinal));
        var address = new Uri(line[line.IndexOf("http://127.0.0.1:", StringComparison.Ordinal)..].Split(' ', '"')[0]);
        using var client = new HttpClient { BaseAddress = address };
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        limit.CancelAfter(TimeSpan.FromMinutes(2));
        while (!(await client.GetAsync(new Uri("/health/ready", UriKind.Relative), limit.Token)).IsSuccessStatusCode)
        {
            await Task.Delay(50, limit.Token);
        }

        JsonElement item = await client.GetFromJsonAsync<JsonElement>("/items/i1?width=4", Stop);
        Assert.Equal("Red lamp", item.GetProperty("title").GetString());
        serve.Terminate();
        Assert.True(await serve.WaitForExitAsync() == (int)ExitCode.Success, serve.Output);
    }

    [Theory]
    [InlineData("item=sku,title=nmae", ExitCode.BadInput, "products.csv: line 1: there is no column 'nmae'; the file has sku, name")]
    [InlineData("title=name", ExitCode.Usage, "--item-columns: 'title=name' lacks the item; add item=….")]
    public async Task ItemColumns_ThatDoNotFit_EndTheProgramAndSayWhy(string columns, ExitCode expected, string message)
    {
        string items = _files.Write("products.csv", "sku,name\ni1,Red lamp\n");
        using var serve = StreamingProcess.Start(["serve", "--items", items, "--item-columns", columns], new Dictionary<string, string>());

        Assert.Equal((int)expected, await serve.WaitForExitAsync());
        Assert.Contains(message, serve.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("serve")]
    [InlineData("demo")]
    public async Task ItemColumns_WithoutFiles_AreRefused(string command)
    {
        using var program = StreamingProcess.Start([command, "--item-columns", "item=sku"], new Dictionary<string, string>());

        Assert.Equal((int)ExitCode.Usage, await program.WaitForExitAsync());
        Assert.Contains("--item-columns: there are no item files; add --items.", program.Output, StringComparison.Ordinal);
    }
}
