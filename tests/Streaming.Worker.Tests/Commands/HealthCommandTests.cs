using Streaming.Tests;
using Streaming.Worker.Commands;
using Streaming.Worker.Failures;
using Streaming.Worker.Health;
using Streaming.Worker.Http;
using Xunit;

namespace Streaming.Worker.Tests.Commands;

/// <summary>`streaming health` reaches the worker of its own machine wherever that listens, and through no proxy.</summary>
public sealed class HealthCommandTests
{
    [Theory]
    [InlineData("127.0.0.1", "http://127.0.0.1:81/health/live")]
    [InlineData("0.0.0.0", "http://127.0.0.1:81/health/live")]
    [InlineData("::", "http://[::1]:81/health/live")]
    [InlineData("::1", "http://[::1]:81/health/live")]
    [InlineData("10.1.2.3", "http://10.1.2.3:81/health/live")]
    public void Address_IsOneThatCanBeConnectedTo(string listening, string asked) =>
        Assert.Equal(asked, HealthCommand.AddressOf(new HttpOptions { Address = listening, Port = 81 }, ready: false).ToString());

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    public void PortThatSaysNothing_IsNamed(int port)
    {
        SettingsException exception = Assert.Throws<SettingsException>(() =>
            HealthCommand.AddressOf(new HttpOptions { Port = port }, ready: true)
        );
        Assert.Contains($"STREAMING__Http__Port is {port}", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http_proxy")]
    [InlineData("HTTP_PROXY")]
    [InlineData("all_proxy")]
    public async Task ProxyVariable_IsNotForQuestionsToTheOwnMachine(string variable)
    {
        var health = new HealthReport();
        health.Set("trainer", HealthLevel.Healthy);
        using var exposition = new Worker.Metrics.PrometheusExposition("none");
        await using HttpEndpoint endpoint = await HttpEndpoint.StartAsync(
            new HttpOptions { Port = 0 },
            Microsoft.Extensions.Logging.Abstractions.NullLoggerFactory.Instance,
            routes => OperationsRoutes.Map(routes, health, exposition),
            TestContext.Current.CancellationToken
        );
        using var process = StreamingProcess.Start(
            ["health", "--ready"],
            new Dictionary<string, string> { ["STREAMING__Http__Port"] = $"{endpoint.Address.Port}", [variable] = "http://127.0.0.1:9" }
        );

        Assert.True(await process.WaitForExitAsync() == 0, process.Output);
        Assert.Contains("\"trainer\":\"healthy\"", process.Output, StringComparison.Ordinal);
    }
}
