using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging.Abstractions;
using Streaming.Core.Options;
using Streaming.Worker.Http;
using Streaming.Worker.Serve;
using Xunit;

namespace Streaming.Worker.Tests.Http;

/// <summary>What every route gets from the endpoint: keys, CORS, compression, tags.</summary>
public sealed class HttpEndpointTests : IDisposable
{
    private const string Key = "0123456789abcdef0123";
    private const string Other = "fedcba9876543210fedc";

    private readonly string _file = Path.GetTempFileName();
    private int _answers;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => File.Delete(_file);

    [Fact]
    public async Task ApiKey_IsRequiredByLookupsAndNotByProbes()
    {
        await File.WriteAllTextAsync(_file, $"# shop\n{Key}\n{Other}  # app\n", Stop);
        await using HttpEndpoint endpoint = await StartAsync(new HttpOptions { ApiKeyFile = _file });
        using var client = new HttpClient { BaseAddress = endpoint.Address };

        using HttpResponseMessage without = await client.GetAsync("/answer", Stop);
        Assert.Equal(HttpStatusCode.Unauthorized, without.StatusCode);
        Assert.Equal("Bearer", without.Headers.WwwAuthenticate.ToString());
        Assert.Equal("an API key is required: Authorization: Bearer KEY, or X-Api-Key: KEY", await DetailAsync(without));

        Assert.Equal(HttpStatusCode.OK, (await SendAsync(client, "Authorization", "Bearer " + Key)).Status);
        Assert.Equal(HttpStatusCode.OK, (await SendAsync(client, "X-Api-Key", Other)).Status);
        Assert.Equal((HttpStatusCode.Unauthorized, "the API key is not valid"), await SendAsync(client, "X-Api-Key", Key + "4"));
        Assert.Equal((HttpStatusCode.Unauthorized, "the API key is not valid"), await SendAsync(client, "X-Api-Key", "shop"));
        using HttpResponseMessage probe = await client.GetAsync("/health/live", Stop);
        Assert.Equal(HttpStatusCode.OK, probe.StatusCode);
    }

    [Fact]
    public async Task ApiKeys_OfAChangedFile_AreThoseOfNow()
    {
        await File.WriteAllTextAsync(_file, Key, Stop);
        await using HttpEndpoint endpoint = await StartAsync(new HttpOptions { ApiKeyFile = _file });
        using var client = new HttpClient { BaseAddress = endpoint.Address };
        Assert.Equal(HttpStatusCode.OK, (await SendAsync(client, "X-Api-Key", Key)).Status);

        await File.WriteAllTextAsync(_file, Other, Stop);
        File.SetLastWriteTimeUtc(_file, TimeProvider.System.GetUtcNow().UtcDateTime.AddSeconds(5));
        while ((await SendAsync(client, "X-Api-Key", Other)).Status != HttpStatusCode.OK)
        {
            await Task.Delay(50, Stop);
        }

        Assert.Equal(HttpStatusCode.Unauthorized, (await SendAsync(client, "X-Api-Key", Key)).Status);

        // A file that is not usable takes nobody's access away.
        await File.WriteAllTextAsync(_file, "short", Stop);
        File.SetLastWriteTimeUtc(_file, TimeProvider.System.GetUtcNow().UtcDateTime.AddSeconds(10));
        await Task.Delay(1_200, Stop);
        Assert.Equal(HttpStatusCode.OK, (await SendAsync(client, "X-Api-Key", Other)).Status);
    }

    [Theory]
    [InlineData("", "it has no key")]
    [InlineData("# nothing\n", "it has no key")]
    [InlineData("0123456789abcdef\ntooshort", "key 2 is shorter than 16 characters or has white space in it")]
    [InlineData("0123456789abcdef 0123456789abcdef", "key 1 is shorter than 16 characters or has white space in it")]
    public async Task ApiKeyFile_WithoutUsableKeys_IsRefusedAtTheStartWithoutShowingAKey(string text, string fault)
    {
        await File.WriteAllTextAsync(_file, text, Stop);

        OptionsException error = Assert.Throws<OptionsException>(new HttpOptions { ApiKeyFile = _file }.Validate);

        Assert.EndsWith($"({fault}).", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("0123456789abcdef", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ApiKeyFile_ThatIsNotThere_IsRefusedByName()
    {
        OptionsException error = Assert.Throws<OptionsException>(new HttpOptions { ApiKeyFile = "/nowhere/keys" }.Validate);

        Assert.StartsWith(
            "ApiKeyFile is '/nowhere/keys'; allowed: a readable file of one key per line",
            error.Message,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("shop.example")]
    [InlineData("https://shop.example/")]
    [InlineData("https://shop.example/path")]
    [InlineData("ftp://shop.example")]
    public void CorsOrigin_ThatNoBrowserSends_IsRefused(string origin)
    {
        OptionsException error = Assert.Throws<OptionsException>(new HttpOptions { CorsOrigins = [origin] }.Validate);

        Assert.Contains(
            $"CorsOrigins is {origin}",
            error.Message.Replace("'", string.Empty, StringComparison.Ordinal),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Cors_AllowsTheOriginsOfTheSettingAndAsksNoKeyOfAPreflight()
    {
        await File.WriteAllTextAsync(_file, Key, Stop);
        await using HttpEndpoint endpoint = await StartAsync(
            new HttpOptions { ApiKeyFile = _file, CorsOrigins = ["https://shop.example"] }
        );
        using var client = new HttpClient { BaseAddress = endpoint.Address };

        Assert.Equal("https://shop.example", await AllowedAsync(client, "https://shop.example"));
        Assert.Null(await AllowedAsync(client, "https://other.example"));
    }

    [Fact]
    public async Task Answers_HaveATagByWhichTheyAreNotSentTwice()
    {
        await using HttpEndpoint endpoint = await StartAsync(new HttpOptions());
        using var client = new HttpClient { BaseAddress = endpoint.Address };
        using HttpResponseMessage first = await client.GetAsync("/answer", Stop);
        EntityTagHeaderValue tag = first.Headers.ETag!;

        using var again = new HttpRequestMessage(HttpMethod.Get, "/answer");
        again.Headers.IfNoneMatch.Add(tag);
        using HttpResponseMessage second = await client.SendAsync(again, Stop);
        Assert.Equal(HttpStatusCode.NotModified, second.StatusCode);
        Assert.Empty(await second.Content.ReadAsByteArrayAsync(Stop));

        _answers++;
        using var changed = new HttpRequestMessage(HttpMethod.Get, "/answer");
        changed.Headers.IfNoneMatch.Add(tag);
        using HttpResponseMessage third = await client.SendAsync(changed, Stop);
        Assert.Equal(HttpStatusCode.OK, third.StatusCode);
        Assert.NotEqual(tag, third.Headers.ETag);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    public async Task Answers_AreCompressedWhereTheCallerTakesIt(string encoding)
    {
        await using HttpEndpoint endpoint = await StartAsync(new HttpOptions());
        using var client = new HttpClient { BaseAddress = endpoint.Address };
        client.DefaultRequestHeaders.AcceptEncoding.ParseAdd(encoding);

        using HttpResponseMessage response = await client.GetAsync("/answer", Stop);

        Assert.Equal(encoding, Assert.Single(response.Content.Headers.ContentEncoding));
        Assert.InRange((await response.Content.ReadAsByteArrayAsync(Stop)).Length, 1, 500);
    }

    private static async Task<(HttpStatusCode Status, string? Detail)> SendAsync(HttpClient client, string header, string value)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/answer");
        request.Headers.Add(header, value);
        using HttpResponseMessage response = await client.SendAsync(request, Stop);
        return (response.StatusCode, response.IsSuccessStatusCode ? null : await DetailAsync(response));
    }

    private static async Task<string?> DetailAsync(HttpResponseMessage response)
    {
        using var problem = JsonDocument.Parse(await response.Content.ReadAsStringAsync(Stop));
        return problem.RootElement.GetProperty("detail").GetString();
    }

    private static async Task<string?> AllowedAsync(HttpClient client, string origin)
    {
        using var preflight = new HttpRequestMessage(HttpMethod.Options, "/answer");
        preflight.Headers.Add("Origin", origin);
        preflight.Headers.Add("Access-Control-Request-Method", "GET");
        preflight.Headers.Add("Access-Control-Request-Headers", "x-api-key");
        using HttpResponseMessage response = await client.SendAsync(preflight, Stop);
        return response.Headers.TryGetValues("Access-Control-Allow-Origin", out IEnumerable<string>? allowed) ? allowed.Single() : null;
    }

    private Task<HttpEndpoint> StartAsync(HttpOptions options) =>
        HttpEndpoint.StartAsync(options with { Port = 0 }, NullLoggerFactory.Instance, Map, Stop);

    private void Map(IEndpointRouteBuilder routes)
    {
        object body = new { text = new string('x', 5_000) };
        routes.MapRead("/answer", RouteAnswers.Answer(_ => Task.FromResult<object>(new { _answers, body })));
        routes.MapRead("/health/live", static _ => Task.CompletedTask);
    }
}
