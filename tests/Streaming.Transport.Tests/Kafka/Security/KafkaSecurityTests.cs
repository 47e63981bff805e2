using System.Net;
using System.Security.Cryptography.X509Certificates;
using Streaming.Tests;
using Streaming.Transport.Kafka;
using Xunit;

namespace Streaming.Transport.Tests.Kafka.Security;

/// <summary>Kafka in a secure setup: encrypted, certificates verified, users with passwords.</summary>
public sealed class KafkaSecurityTests : IDisposable
{
    private const string Password = "correct-horse-93";
    private readonly TestAuthority _authority = new();
    private readonly KafkaHarness _kafka = new();
    private readonly X509Certificate2 _certificate;

    public KafkaSecurityTests() => _certificate = _authority.SignServer(IPAddress.Loopback);

    public void Dispose()
    {
        _certificate.Dispose();
        _kafka.Dispose();
        _authority.Dispose();
    }

    [Fact]
    public async Task Run_TlsAndPassword_EventsComeInAndDeadLettersGoOut()
    {
        SendTwoHundredAndOneBad();
        await using TlsBroker broker = new(_kafka.Broker, _certificate, ("trainer", Password));
        Use(broker, "sasl_ssl");
        _kafka.Options = _kafka.Options with { SaslMechanism = "PLAIN", SaslUsername = "trainer", SaslPassword = Password };

        await ReadAllAsync();

        Assert.NotEmpty(broker.Tokens);
        Assert.All(broker.Tokens, static token => Assert.Equal($"\0trainer\0{Password}", token));
    }

    [Fact]
    public async Task Run_TlsAndClientCertificate_EventsComeInAndDeadLettersGoOut()
    {
        SendTwoHundredAndOneBad();
        await using TlsBroker broker = new(_kafka.Broker, _certificate, clientAuthority: _authority.Certificate);
        Use(broker, "ssl");
        (string certificate, string key) = _authority.SignClient(Password);
        _kafka.Options = _kafka.Options with { SslCertificateLocation = certificate, SslKeyLocation = key, SslKeyPassword = Password };

        await ReadAllAsync();
    }

    [Fact]
    public async Task Run_ClientCertificateMissing_IsTurnedAway()
    {
        await using TlsBroker broker = new(_kafka.Broker, _certificate, clientAuthority: _authority.Certificate);
        Use(broker, "ssl");

        await AssertRefusedAsync(broker, "SSL");
    }

    [Fact]
    public async Task Run_AnotherAuthority_NothingIsSentAndTheLogSaysWhatToCheck()
    {
        using TestAuthority other = new();
        await using TlsBroker broker = new(_kafka.Broker, _certificate);
        Use(broker, "ssl");
        _kafka.Options = _kafka.Options with { SslCaLocation = other.CertificateFile };

        await AssertRefusedAsync(broker, "broker certificate could not be verified, verify that ssl.ca.location is correctly configured");
    }

    [Fact]
    public async Task Run_NoAuthorityGiven_TheSystemsAreAskedAndDoNotKnowThisOne()
    {
        await using TlsBroker broker = new(_kafka.Broker, _certificate);
        Use(broker, "ssl");
        _kafka.Options = _kafka.Options with { SslCaLocation = string.Empty };

        await AssertRefusedAsync(broker, "certificate verify failed");
    }

    [Fact]
    public async Task Run_CertificateOfAnotherHost_NothingIsSent()
    {
        using X509Certificate2 elsewhere = _authority.SignServer(IPAddress.Parse("127.0.0.9"));
        await using TlsBroker broker = new(_kafka.Broker, elsewhere);
        Use(broker, "ssl");

        await AssertRefusedAsync(broker, "certificate verify failed");
    }

    [Fact]
    public async Task Run_PasswordWrong_IsTurnedAwayAndShownNowhere()
    {
        await using TlsBroker broker = new(_kafka.Broker, _certificate, ("trainer", Password));
        Use(broker, "sasl_ssl");
        _kafka.Options = _kafka.Options with { SaslMechanism = "PLAIN", SaslUsername = "trainer", SaslPassword = "wrong-donkey-47" };
        RecordingLogger log = new();
        await using RunningSource source = _kafka.Start(logger: log);
        await KafkaHarness.WaitAsync(() => source.Source.Status.IsDegraded && !broker.Tokens.IsEmpty, "the password is refused");

        Assert.Equal(0, broker.Requests);
        Assert.Equal(0, source.Counts.Read);
        Assert.DoesNotContain(log.Lines, static line => line.Contains("donkey", StringComparison.Ordinal));
    }

    private void Use(TlsBroker broker, string protocol)
    {
        _kafka.Options = _kafka.Options with
        {
            BootstrapServers = broker.BootstrapServers,
            SecurityProtocol = protocol,
            SslCaLocation = _authority.CertificateFile,
        };
    }

    private void SendTwoHundredAndOneBad()
    {
        _kafka.Produce(0, 200);
        using EventProducer producer = new(_kafka.Options);
        producer.SendRaw(_kafka.Options.InteractionsTopic, [1], [0xFF], null);
        producer.Flush(TestContext.Current.CancellationToken);
    }

    private async Task ReadAllAsync()
    {
        await using RunningSource source = _kafka.Start();
        await source.ReadAsync(201);
        await source.StopAsync();
        KafkaHarness.AssertEachOnce(200, source.Examples);

        // A batch leaves only after its dead letters are stored.
        Assert.Equal(1, source.Counts.DeadLettered);
        Assert.Equal(201, source.Batches[^1].Positions.Sum(static position => position.NextOffset));
    }

    private async Task AssertRefusedAsync(TlsBroker broker, string reason)
    {
        RecordingLogger log = new();
        await using RunningSource source = _kafka.Start(logger: log);
        await KafkaHarness.WaitAsync(
            () => source.Source.Status.IsDegraded && log.Lines.Any(line => line.Contains(reason, StringComparison.Ordinal)),
            $"the log says '{reason}'; it says:\n{log}"
        );

        Assert.Equal(0, broker.Requests);
        Assert.Equal(0, source.Counts.Read);
    }
}
