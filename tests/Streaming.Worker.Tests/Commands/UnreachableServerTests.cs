using System.Net;
using System.Net.Sockets;
using Streaming.Lab.Embedded;
using Streaming.Tests;
using Xunit;

namespace Streaming.Worker.Tests.Commands;

/// <summary>Commands whose server is not there end with one line that names its address, the setting and the cause.</summary>
public sealed class UnreachableServerTests : IDisposable
{
    private const string Nobody = "127.0.0.1:9";

    /// <summary>Takes connections into its backlog and never answers.</summary>
    private readonly TcpListener _silent = new(IPAddress.Loopback, 0);

    public UnreachableServerTests() => _silent.Start();

    private string Silent => _silent.LocalEndpoint.ToString()!;

    public void Dispose() => _silent.Dispose();

    [Theory]
    [InlineData("generation")]
    [InlineData("generation switch 2")]
    [InlineData("generation rollback")]
    [InlineData("generation retire 1")]
    public Task RedisRefusesConnections_IsNamed(string command) =>
        AssertUnavailableAsync(
            command,
            ("STREAMING__Redis__Configuration", Nobody),
            $"no answer from Redis at {Nobody} (STREAMING__Redis__Configuration): Connection refused."
        );

    [Fact]
    public Task RedisIsAnUnknownHost_IsNamed() =>
        AssertUnavailableAsync(
            "generation",
            ("STREAMING__Redis__Configuration", "nobody.invalid:6379"),
            "no answer from Redis at nobody.invalid:6379 (STREAMING__Redis__Configuration): Name or service not known."
        );

    [Fact]
    public Task RedisNeverAnswers_IsNamed() =>
        AssertUnavailableAsync(
            "generation",
            ("STREAMING__Redis__Configuration", Silent),
            $"no answer from Redis at {Silent} (STREAMING__Redis__Configuration): it accepts connections, but does not answer as a Redis "
                + "server within 1 s."
        );

    [Fact]
    public async Task RedisRefusesThePassword_IsNamedWithoutIt()
    {
        await using LocalRedisServer redis = await LocalRedisServer.StartAsync(
            ["--requirepass", "right"],
            TestContext.Current.CancellationToken
        );
        await AssertUnavailableAsync(
            "generation",
            ("STREAMING__Redis__Configuration", $"{redis.Configuration.Split(',')[0]},password=s3cret"),
            "it refuses the user or password of STREAMING__Redis__Configuration: "
        );
    }

    [Theory]
    [InlineData("dead-letters list")]
    [InlineData("dead-letters show 0 0")]
    [InlineData("dead-letters replay")]
    public async Task KafkaIsNotThere_IsNamed(string command)
    {
        foreach (string server in new[] { Nobody, Silent })
        {
            await AssertUnavailableAsync(
                command,
                ("STREAMING__Kafka__BootstrapServers", server),
                $"No answer from Kafka at {server} (STREAMING__Kafka__BootstrapServers): "
            );
        }
    }

    [Fact]
    public Task WorkerNeverAnswers_IsNamed() =>
        AssertUnavailableAsync(
            "health",
            ("STREAMING__Http__Port", Silent[(Silent.LastIndexOf(':') + 1)..]),
            $"no answer from the worker at http://{Silent}/health/live (STREAMING__Http__Address, STREAMING__Http__Port): nothing "
                + $"within 4 s"
        );

    [Theory]
    [InlineData("serve")]
    [InlineData("run")]
    public async Task PortIsTaken_IsNamedWithoutAStackTrace(string command)
    {
        using var process = StreamingProcess.Start(
            [command],
            new Dictionary<string, string>
            {
                ["STREAMING__Http__Port"] = Silent[(Silent.LastIndexOf(':') + 1)..],
                ["STREAMING__Redis__Configuration"] = Nobody,
                ["STREAMING__Redis__ConnectTimeout"] = "1s",
                ["STREAMING__Checkpoint__Folder"] = string.Empty,
            }
        );
        Assert.True(await process.WaitForExitAsync() == 69, process.Output);
        Assert.Contains($"streaming: cannot listen on {Silent} (", process.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", process.Output, StringComparison.Ordinal);
    }

    private static async Task AssertUnavailableAsync(string command, (string Name, string Value) setting, string said)
    {
        Dictionary<string, string> variables = new() { ["STREAMING__Redis__ConnectTimeout"] = "1s", [setting.Name] = setting.Value };
        using var process = StreamingProcess.Start(command.Split(' '), variables);
        Assert.True(await process.WaitForExitAsync() == 69, process.Output);
        string line = Assert.Single(process.Output.TrimEnd().Split('\n'));
        Assert.Contains(said, line, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", line, StringComparison.Ordinal);
    }
}
