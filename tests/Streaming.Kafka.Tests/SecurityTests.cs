using Streaming.Kafka.Tests.Bench;
using Streaming.Tests.Kafka;
using Xunit;

namespace Streaming.Kafka.Tests;

/// <summary>
/// TLS, users and access control. A worker with exactly the rights it needs is denied nothing; one without names what is missing.
/// </summary>
public sealed class SecurityTests(KafkaServers servers)
{
    private static readonly string[] Refusals = ["authoriz", "denied", "refused", "not allowed"];

    [Theory]
    [InlineData(Reading.Static)]
    [InlineData(Reading.Classic)]
    [InlineData(Reading.Consumer)]
    public async Task Scram_WithExactlyTheNeededRights_NothingIsRefused(Reading reading)
    {
        await using KafkaBench bench = await SecureAsync(reading, Right.Events, Right.Items, Right.Group, Right.DeadLetters);
        await bench.Ledger.SendAsync(400);
        await using WorkerProcess worker = bench.StartWorker();
        await bench.FinishAsync(worker);

        Assert.All(Refusals, word => Assert.DoesNotContain(word, worker.Log, StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task ClientCertificate_WithExactlyTheNeededRights_NothingIsRefused()
    {
        await using KafkaBench bench = await SecureAsync(Reading.Classic);
        KafkaSecurity security = bench.Cluster.Security!;
        (string certificate, string key) = security.SignClient("trainer");
        await bench.AllowAsync("User:CN=trainer", Right.Events, Right.Items, Right.Group, Right.DeadLetters);
        bench.Settings["STREAMING__Kafka__BootstrapServers"] = bench.Cluster.MutualTlsServers;
        bench.Settings["STREAMING__Kafka__SecurityProtocol"] = "ssl";
        bench.Settings["STREAMING__Kafka__SslCertificateLocation"] = certificate;
        bench.Settings["STREAMING__Kafka__SslKeyLocation"] = key;
        bench.Settings["STREAMING__Kafka__SslKeyPassword"] = KafkaSecurity.KeyPassword;
        foreach (
            string name in new[] { "STREAMING__Kafka__SaslMechanism", "STREAMING__Kafka__SaslUsername", "STREAMING__Kafka__SaslPassword" }
        )
        {
            bench.Settings.Remove(name);
        }

        await bench.Ledger.SendAsync(400);
        await using WorkerProcess worker = bench.StartWorker();
        await bench.FinishAsync(worker);

        Assert.All(Refusals, word => Assert.DoesNotContain(word, worker.Log, StringComparison.OrdinalIgnoreCase));
        Assert.DoesNotContain(KafkaSecurity.KeyPassword, worker.Log, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Reading.Static, Right.Events)]
    [InlineData(Reading.Classic, Right.Events)]
    [InlineData(Reading.Consumer, Right.Events)]
    [InlineData(Reading.Static, Right.Items)]
    [InlineData(Reading.Classic, Right.Group)]
    [InlineData(Reading.Consumer, Right.Group)]
    [InlineData(Reading.Static, Right.DeadLetters)]
    public async Task Right_Refused_HealthAndLogNameItUntilItIsGiven(Reading reading, Right refused)
    {
        await using KafkaBench bench = await SecureAsync(reading, [.. Enum.GetValues<Right>().Where(right => right != refused)]);
        await bench.Ledger.SendAsync(400);
        await using WorkerProcess worker = bench.StartWorker();
        await worker.UntilUnwellAsync(bench.NameOf(refused), "authoriz");
        await worker.UntilLoggedAsync(bench.NameOf(refused));

        await bench.AllowAsync("User:" + KafkaSecurity.Worker, refused);
        await worker.UntilWellAsync();

        await bench.FinishAsync(worker);
    }

    [Fact]
    public async Task Password_Wrong_HealthSaysSo()
    {
        await using KafkaBench bench = await SecureAsync(Reading.Static, Right.Events, Right.Items, Right.Group, Right.DeadLetters);
        bench.Settings["STREAMING__Kafka__SaslPassword"] = "wrong-password";
        await using WorkerProcess worker = bench.StartWorker();
        await worker.UntilUnwellAsync("authentication");

        Assert.Equal(0, await worker.TerminateAsync());
        Assert.DoesNotContain("wrong-password", worker.Log, StringComparison.Ordinal);
        bench.Note();
    }

    private async Task<KafkaBench> SecureAsync(Reading reading, params Right[] rights)
    {
        KafkaBench bench = await KafkaBench.StartAsync(servers, reading, secure: true);
        await bench.CreateItemsAsync();
        bench.Settings["STREAMING__Kafka__SecurityProtocol"] = "sasl_ssl";
        bench.Settings["STREAMING__Kafka__SaslMechanism"] = "SCRAM-SHA-512";
        bench.Settings["STREAMING__Kafka__SaslUsername"] = KafkaSecurity.Worker;
        bench.Settings["STREAMING__Kafka__SaslPassword"] = KafkaSecurity.PasswordOf(KafkaSecurity.Worker);
        bench.Settings["STREAMING__Kafka__SslCaLocation"] = bench.Cluster.Security!.AuthorityFile;
        await bench.AllowAsync("User:" + KafkaSecurity.Worker, rights);
        return bench;
    }
}
