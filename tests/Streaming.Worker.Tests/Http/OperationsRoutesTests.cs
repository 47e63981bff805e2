using System.Diagnostics.Metrics;
using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Streaming.Worker.Failures;
using Streaming.Worker.Health;
using Streaming.Worker.Http;
using Streaming.Worker.Metrics;
using Xunit;

namespace Streaming.Worker.Tests.Http;

public class OperationsRoutesTests
{
    private readonly HealthReport _health = new();

    [Fact]
    public async Task Health_PartsChange_AnswersFollow()
    {
        await using HttpEndpoint endpoint = await StartAsync(new HttpOptions { Port = 0 });
        using var client = new HttpClient { BaseAddress = endpoint.Address };

        _health.Set("kafka", HealthLevel.Healthy);
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), await CodesAsync(client));

        _health.Set("redis", HealthLevel.Degraded, "away");
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), await CodesAsync(client));
        Assert.Equal(
            """{"status":"degraded","parts":{"kafka":"healthy","redis":"degraded: away"}}""",
            await client.GetStringAsync(new Uri("/health/ready", UriKind.Relative), TestContext.Current.CancellationToken)
        );

        _health.Set("trainer", HealthLevel.NotReady, "standing by");
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.ServiceUnavailable), await CodesAsync(client));

        _health.Set("trainer", HealthLevel.Failed, "diverged");
        Assert.Equal((HttpStatusCode.ServiceUnavailable, HttpStatusCode.ServiceUnavailable), await CodesAsync(client));
    }

    [Fact]
    public async Task Metrics_AreServedAsText()
    {
        await using HttpEndpoint endpoint = await StartAsync(new HttpOptions { Port = 0 });
        using var client = new HttpClient { BaseAddress = endpoint.Address };

        using HttpResponseMessage response = await client.GetAsync(
            new Uri("/metrics", UriKind.Relative),
            TestContext.Current.CancellationToken
        );

        Assert.Equal("text/plain", response.Content.Headers.ContentType!.MediaType);
        Assert.Contains(
            "# TYPE operations_test_total counter\noperations_test_total{model=\"shop\"} 3\n",
            await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Start_PortTaken_SaysWhatToDo()
    {
        await using HttpEndpoint first = await StartAsync(new HttpOptions { Port = 0 });

        ServerUnavailableException exception = await Assert.ThrowsAsync<ServerUnavailableException>(() =>
            StartAsync(new HttpOptions { Port = first.Address.Port })
        );

        Assert.Equal(ExitCode.Unavailable, Failure.Explain(exception).Code);
        Assert.Contains($"127.0.0.1:{first.Address.Port}", exception.Message, StringComparison.Ordinal);
        Assert.Contains("STREAMING__Http__Port", exception.Message, StringComparison.Ordinal);
    }

    private static async Task<(HttpStatusCode Live, HttpStatusCode Ready)> CodesAsync(HttpClient client)
    {
        using HttpResponseMessage live = await client.GetAsync(
            new Uri("/health/live", UriKind.Relative),
            TestContext.Current.CancellationToken
        );
        using HttpResponseMessage ready = await client.GetAsync(
            new Uri("/health/ready", UriKind.Relative),
            TestContext.Current.CancellationToken
        );
        return (live.StatusCode, ready.StatusCode);
    }

    private async Task<HttpEndpoint> StartAsync(HttpOptions options)
    {
        string name = "Operations" + Guid.NewGuid().ToString("N");
        var exposition = new PrometheusExposition("shop", name);
        using var meter = new Meter(name);
        meter.CreateCounter<long>("operations.test").Add(3);
        return await HttpEndpoint.StartAsync(
            options,
            NullLoggerFactory.Instance,
            routes => OperationsRoutes.Map(routes, _health, exposition),
            TestContext.Current.CancellationToken
        );
    }
}
