using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging.Abstractions;
using Streaming.Worker.Http;
using Xunit;

namespace Streaming.Worker.Tests.Http;

/// <summary>Limits of requests, over a real server.</summary>
public sealed class RequestLimitsTests : IDisposable
{
    private readonly SemaphoreSlim _answer = new(0);
    private readonly SemaphoreSlim _waiting = new(0);
    private readonly string _keys = Path.GetTempFileName();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _answer.Dispose();
        _waiting.Dispose();
        File.Delete(_keys);
    }

    [Fact]
    public async Task MoreAtOnceThanAllowed_AreRefusedUntilOneIsAnswered()
    {
        await using HttpEndpoint endpoint = await StartAsync(new HttpOptions { MaxConcurrentRequests = 2 });
        using var client = new HttpClient { BaseAddress = endpoint.Address };
        Task<HttpResponseMessage>[] held = [GetAsync(client, "/slow"), GetAsync(client, "/slow")];
        await _waiting.WaitAsync(Stop);
        await _waiting.WaitAsync(Stop);

        using HttpResponseMessage refused = await GetAsync(client, "/fast");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(1), refused.Headers.RetryAfter?.Delta);
        Assert.Equal("2 requests are being answered (STREAMING__Http__MaxConcurrentRequests)", await DetailAsync(refused));

        _answer.Release(2);
        Assert.All(await Task.WhenAll(held), static answer => Assert.Equal(HttpStatusCode.OK, answer.StatusCode));
        using HttpResponseMessage later = await GetAsync(client, "/fast");
        Assert.Equal(HttpStatusCode.OK, later.StatusCode);
    }

    [Fact]
    public async Task CallerWhoSendsTooMany_IsToldWhenToComeBack()
    {
        await using HttpEndpoint endpoint = await StartAsync(new HttpOptions { RequestsPerSecond = 1 });
        using var client = new HttpClient { BaseAddress = endpoint.Address };
        HttpResponseMessage refused = await UntilRefusedAsync(client);

        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(1), refused.Headers.RetryAfter?.Delta);
        Assert.Equal("more than 1 requests a second from this caller (STREAMING__Http__RequestsPerSecond)", await DetailAsync(refused));
    }

    [Fact]
    public async Task CallersWithKeysOfTheirOwn_HaveLimitsOfTheirOwn()
    {
        await File.WriteAllLinesAsync(_keys, ["key-of-the-shop-1234", "key-of-the-app-12345"], Stop);
        await using HttpEndpoint endpoint = await StartAsync(new HttpOptions { RequestsPerSecond = 1, ApiKeyFile = _keys });
        using var shop = new HttpClient
        {
            BaseAddress = endpoint.Address,
            DefaultRequestHeaders = { { "X-Api-Key", "key-of-the-shop-1234" } },
        };
        using var app = new HttpClient
        {
            BaseAddress = endpoint.Address,
            DefaultRequestHeaders = { { "X-Api-Key", "key-of-the-app-12345" } },
        };
        Assert.Equal(HttpStatusCode.TooManyRequests, (await UntilRefusedAsync(shop)).StatusCode);

        using HttpResponseMessage other = await GetAsync(app, "/fast");
        Assert.Equal(HttpStatusCode.OK, other.StatusCode);
    }

    [Fact]
    public async Task Probes_AreNeverRefused()
    {
        await using HttpEndpoint endpoint = await StartAsync(new HttpOptions { RequestsPerSecond = 1, MaxConcurrentRequests = 1 });
        using var client = new HttpClient { BaseAddress = endpoint.Address };
        Task<HttpResponseMessage> held = GetAsync(client, "/slow");
        await _waiting.WaitAsync(Stop);
        for (int i = 0; i < 10; i++)
        {
            using HttpResponseMessage probe = await GetAsync(client, "/health/live");
            Assert.Equal(HttpStatusCode.OK, probe.StatusCode);
        }

        _answer.Release();
        (await held).Dispose();
    }

    private static async Task<HttpResponseMessage> UntilRefusedAsync(HttpClient client)
    {
        // Whatever time the machine takes, a thousand a second it does not send one by one without one being too many.
        for (int i = 0; i < 1000; i++)
        {
            HttpResponseMessage answer = await GetAsync(client, "/fast");
            if (answer.StatusCode != HttpStatusCode.OK)
            {
                return answer;
            }
        }

        throw new InvalidOperationException("no request was refused");
    }

    private static Task<HttpResponseMessage> GetAsync(HttpClient client, string path) =>
        client.GetAsync(new Uri(path, UriKind.Relative), Stop);

    private static async Task<string?> DetailAsync(HttpResponseMessage answer)
    {
        using var problem = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(Stop));
        return problem.RootElement.GetProperty("detail").GetString();
    }

    private Task<HttpEndpoint> StartAsync(HttpOptions options) =>
        HttpEndpoint.StartAsync(options with { Port = 0 }, NullLoggerFactory.Instance, Map, Stop);

    private void Map(IEndpointRouteBuilder routes)
    {
        routes.MapRead("/fast", static context => context.Response.WriteAsync("done", Stop));
        routes.MapRead("/health/live", static context => context.Response.WriteAsync("done", Stop));
        routes.MapRead(
            "/slow",
            async context =>
            {
                _waiting.Release();
                await _answer.WaitAsync(Stop);
                await context.Response.WriteAsync("done", Stop);
            }
        );
    }
}
