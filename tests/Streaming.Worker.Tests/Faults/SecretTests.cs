using Streaming.Lab.Embedded;
using Streaming.Tests;
using Xunit;

namespace Streaming.Worker.Tests.Faults;

/// <summary>Every kind of secret and every output of the program, with one word to search for.</summary>
public sealed class SecretTests : IAsyncLifetime
{
    private const string Secret = "correct-horse-93";
    private readonly EmbeddedBroker _broker = new();
    private readonly string _empty = Path.GetTempFileName();
    private LocalRedisServer _redis = null!;

    public async ValueTask InitializeAsync() =>
        _redis = await LocalRedisServer.StartAsync(["--requirepass", "another-" + Secret], TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _redis.DisposeAsync();
        _broker.Dispose();
        File.Delete(_empty);
    }

    [Fact]
    public async Task Config_ShowsNone()
    {
        using var process = StreamingProcess.Start(["config"], Variables("sasl_ssl"));
        Assert.Equal(0, await process.WaitForExitAsync());
        Assert.Contains("STREAMING__Kafka__SaslPassword=***", process.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, process.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("sasl_plaintext")] // the broker does not speak it: errors, reconnects
    [InlineData("sasl_ssl")] // neither this, and the key file is empty
    public async Task Run_EverythingRefusesAndLogsAll_ShowsNone(string protocol)
    {
        using var process = StreamingProcess.Start(["run"], Variables(protocol));
        if (protocol == "sasl_plaintext")
        {
            await process.WaitForLineAsync(line => line.Contains("Leading model", StringComparison.Ordinal));
            await process.WaitForLineAsync(line => line.Contains("sasl", StringComparison.OrdinalIgnoreCase));
            process.Terminate();
        }

        await process.WaitForExitAsync();
        Assert.NotEmpty(process.Output);
        Assert.DoesNotContain(Secret, process.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_RedisRefusesThePassword_ShowsNone()
    {
        Dictionary<string, string> variables = Variables("plaintext");
        variables.Remove("STREAMING__Kafka__SaslMechanism"); // there is none without SASL
        variables["STREAMING__Redis__Configuration"] = $"{_redis.Configuration},password={Secret}; and more {Secret}";
        using var process = StreamingProcess.Start(["run"], variables);
        await process.WaitForLineAsync(line => line.Contains("is unavailable", StringComparison.Ordinal));
        process.Terminate();

        Assert.True(await process.WaitForExitAsync() == 0, process.Output);
        Assert.DoesNotContain(Secret, process.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task BadSettings_ErrorsShowNone()
    {
        Dictionary<string, string> variables = Variables("sasl_ssl");
        variables["STREAMING__Kafka__SaslPasswordFile"] = "/none";
        variables["STREAMING__Redis__Configuration"] = $"nowhere,password={Secret} {Secret},nonsense=1";
        variables["STREAMING__Kafka__Client"] = $"sasl.password={Secret}";
        using var process = StreamingProcess.Start(["run"], variables);

        Assert.Equal(78, await process.WaitForExitAsync());
        Assert.DoesNotContain(Secret, process.Output, StringComparison.Ordinal);
    }

    private Dictionary<string, string> Variables(string protocol) =>
        new()
        {
            ["STREAMING__Kafka__BootstrapServers"] = _broker.BootstrapServers,
            ["STREAMING__Kafka__SecurityProtocol"] = protocol,
            ["STREAMING__Kafka__SaslMechanism"] = "PLAIN",
            ["STREAMING__Kafka__SaslUsername"] = "trainer",
            ["STREAMING__Kafka__SaslPassword"] = "kafka-" + Secret,
            ["STREAMING__Kafka__SslKeyPassword"] = "key-" + Secret,
            ["STREAMING__Kafka__SslKeyLocation"] = _empty,
            ["STREAMING__Kafka__SslCertificateLocation"] = _empty,
            ["STREAMING__Kafka__Client"] = "debug=all",
            ["STREAMING__Redis__Configuration"] = $"{_redis.Configuration},password=another-{Secret}",
            ["STREAMING__Redis__LeaseDuration"] = "2s",
            ["STREAMING__Redis__CommandTimeout"] = "500ms",
            ["STREAMING__Checkpoint__Folder"] = string.Empty,
            ["STREAMING__Model__Widths"] = "4,8",
            ["STREAMING__Model__ItemCapacity"] = "1000",
            ["STREAMING__Model__BankCapacity"] = "256",
            ["STREAMING__Log__Level"] = "Verbose",
            ["STREAMING__Pipeline__ShutdownTimeout"] = "5s",
            ["STREAMING__Http__Port"] = "-1",
        };
}
