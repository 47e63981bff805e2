using System.Net;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Streaming.Worker.Health;
using Streaming.Worker.Http;
using Streaming.Worker.Serve;
using Xunit;

namespace Streaming.Worker.Tests.Serve;

public sealed class CatalogueRoutesTests : IAsyncLifetime
{
    private PublishedShop _shop = null!;
    private Lookups _lookups = null!;
    private HttpEndpoint _endpoint = null!;
    private HttpClient _client = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _shop = await PublishedShop.OpenAsync();
        _lookups = new Lookups(
            _shop.Redis.GetDatabase(),
            _shop.Settings.Redis,
            _shop.Settings.Serve,
            _shop.Settings.Model.Widths,
            id => id == "i7" ? "Blue Lamp" : null,
            TimeProvider.System
        );
        _endpoint = await HttpEndpoint.StartAsync(
            new HttpOptions { Port = 0 },
            NullLoggerFactory.Instance,
            routes => CatalogueRoutes.Map(routes, new ServedGenerations(_lookups)),
            Stop,
            new IndexService(_lookups, _shop.Settings.Serve, new HealthReport(), TimeProvider.System, NullLoggerFactory.Instance)
        );
        await _lookups.Updater.RefreshAsync(Stop);
        _client = new HttpClient { BaseAddress = _endpoint.Address };
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _endpoint.DisposeAsync();
        _lookups.Dispose();
        await _shop.DisposeAsync();
    }

    [Fact]
    public async Task Search_FindsByTitleAndById()
    {
        Assert.Equal(["i7"], await ItemsAsync("?search=lamp%20blue"));
        Assert.Equal("Blue Lamp", (await GetAsync("?search=lamp")).Answer.GetProperty("items")[0].GetProperty("title").GetString());
        Assert.Equal(["i2"], (await ItemsAsync("?search=I2"))[..1]);
        Assert.Equal(11, (await ItemsAsync("?search=i2")).Length);
        Assert.Empty(await ItemsAsync("?search=%3Cimg%3E"));
    }

    [Fact]
    public async Task Sample_OfASeed_IsTheSame_AndOfEverythingIsAll()
    {
        string[] one = await ItemsAsync("?count=8&seed=1");

        Assert.Equal(8, one.Distinct().Count());
        Assert.Equal(one, await ItemsAsync("?count=8&seed=1"));
        Assert.NotEqual(one, await ItemsAsync("?count=8&seed=2"));
        Assert.Equal(
            Enumerable.Range(0, 30).Select(i => $"i{i}").Order(StringComparer.Ordinal),
            (await ItemsAsync("?count=100")).Order(StringComparer.Ordinal)
        );
    }

    [Theory]
    [InlineData("?search=i1&filter=category:bags&filter=price:..15", "i11 i14")]
    [InlineData("?search=i2&any=price:3..&not=available:true", "i20 i24 i28")]
    [InlineData("?filter=brand:acme&count=3", "i0 i5 i10 i15 i20 i25")]
    [InlineData("?filter=brand:acme&count=100", "i0 i5 i10 i15 i20 i25")]
    [InlineData("?filter=brand:nobody", "")]
    public async Task Filter_NarrowsSearchAndSample(string query, string admitted)
    {
        await PublishAttributesAsync();

        string[] items = await ItemsAsync(query);

        string[] all = admitted.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        Assert.Subset(all.ToHashSet(), items.ToHashSet());
        Assert.Equal(query.EndsWith("count=3", StringComparison.Ordinal) ? 3 : all.Length, items.Length);
    }

    [Fact]
    public async Task Filter_ByAnUnknownField_NamesThoseThatThereAre()
    {
        await PublishAttributesAsync();

        (HttpStatusCode status, JsonElement answer) = await GetAsync("?search=i1&filter=colour:red");

        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.StartsWith(
            "there is no field \"colour\" to filter by; the fields are: category (text)",
            answer.GetProperty("detail").GetString(),
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("?count=101", "count is \"101\"; allowed: 1 to 100")]
    [InlineData("?seed=-1", "seed is \"-1\"; allowed: 0 to 2147483647")]
    [InlineData("?find=lamp", "unknown parameter \"find\"; allowed: search, count, seed, filter, any, not, generation")]
    public async Task Wrong_SaysWhatIsAllowed(string query, string detail)
    {
        (HttpStatusCode status, JsonElement answer) = await GetAsync(query);

        Assert.Equal((HttpStatusCode.BadRequest, detail), (status, answer.GetProperty("detail").GetString()));
    }

    [Fact]
    public async Task Search_ForTooLongAText_IsRefused() =>
        Assert.Equal(HttpStatusCode.BadRequest, (await GetAsync("?search=" + new string('a', CatalogueRoutes.LongestText + 1))).Status);

    private async Task PublishAttributesAsync()
    {
        await _shop.PublishTowersAsync(PublishedShop.Attributes);
        await _lookups.Updater.RefreshAsync(Stop); // loads the attributes
    }

    private async Task<string[]> ItemsAsync(string query) =>
        [.. (await GetAsync(query)).Answer.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("item").GetString()!)];

    private async Task<(HttpStatusCode Status, JsonElement Answer)> GetAsync(string query)
    {
        using HttpResponseMessage response = await _client.GetAsync(new Uri("/items" + query, UriKind.Relative), Stop);
        return (response.StatusCode, JsonElement.Parse(await response.Content.ReadAsStringAsync(Stop)));
    }
}
