using Confluent.Kafka;
using Streaming.Core.Options;
using Streaming.Transport.Kafka.Clients;
using Xunit;

namespace Streaming.Transport.Tests.Kafka.Clients;

public class KafkaOptionsTests
{
    [Fact]
    public void Validate_Defaults_Pass() => Assert.Null(Record.Exception(new KafkaOptions().Validate));

    [Theory]
    [InlineData("localhost:9092")]
    [InlineData("a.example:9093,10.0.0.1:9092, [::1]:9092")]
    [InlineData("SSL://broker-1:9093")]
    public void Validate_ServersInTheFormsThatKafkaTakes_Pass(string servers) =>
        Assert.Null(Record.Exception(new KafkaOptions { BootstrapServers = servers }.Validate));

    [Theory]
    [InlineData("kafka://broker-1:9092")]
    [InlineData("https://broker-1:9092")]
    public void Validate_ServersOfAnotherScheme_AreRefused(string servers) =>
        Assert.Contains(
            $"BootstrapServers is '{servers}'; allowed: host:port",
            Assert.Throws<OptionsException>(new KafkaOptions { BootstrapServers = servers }.Validate).Message,
            StringComparison.Ordinal
        );

    [Fact]
    public void Validate_SeveralErrors_AllAreNamedAtOnce()
    {
        KafkaOptions options = new()
        {
            BootstrapServers = "no port:x",
            InteractionsTopic = "a b",
            ItemsTopic = "interactions.dead-letters",
            MaxDeadLetterRate = 1.5,
            MaxRecordBytes = 1,
            SecurityProtocol = "none",
            SessionTimeout = TimeSpan.Zero,
            SaslPassword = "secret-1",
            SaslPasswordFile = "/some/file",
            SslCaLocation = "/some/ca.pem",
            Client = new Dictionary<string, string>
            {
                ["Enable.Auto.Commit"] = "true",
                ["Plugin.any"] = "evil.so",
                ["fetch.min.bytes"] = "1",
            },
        };
        string[] lines = Assert.Throws<OptionsException>(options.Validate).Message.Split(Environment.NewLine);
        Assert.Equal(
            [
                "BootstrapServers is 'no port:x'; allowed: host:port, separated by commas.",
                "InteractionsTopic is 'a b'; allowed: 1 to 249 letters, digits, '.', '_' and '-'.",
                "DeadLetterTopic is 'interactions.dead-letters'; allowed: three different topics.",
                "MaxDeadLetterRate is 1.5; allowed: 0 … 1.",
                "MaxRecordBytes is 1; allowed: 64 … 67108864.",
                "SessionTimeout is 0s; allowed: 1s … 5m.",
                "SecurityProtocol is 'none'; allowed: plaintext, ssl, sasl_plaintext, sasl_ssl.",
                "SaslPasswordFile is '/some/file'; allowed: only one of SaslPassword and SaslPasswordFile.",
                "SaslPasswordFile is '/some/file'; allowed: a file that exists.",
                "SslCaLocation is '/some/ca.pem'; allowed: a file that exists.",
                "Client is 'Enable.Auto.Commit'; allowed: any setting of librdkafka but those that this program sets itself or that run "
                    + "programs.",
                "Client is 'Plugin.any'; allowed: any setting of librdkafka but those that this program sets itself or that run programs.",
            ],
            lines
        );
        Assert.DoesNotContain(lines, static line => line.Contains("secret-1", StringComparison.Ordinal));
    }

    [Fact]
    public void Validate_MappingsThatCannotBe_AreNamed()
    {
        KafkaOptions options = new()
        {
            InteractionsColumns = "user=a,itm=b",
            ItemsColumns = "title=a",
            ItemsFormat = RecordFormat.Json,
            InteractionsTimeZone = "Mars",
        };

        string[] lines = Assert.Throws<OptionsException>(options.Validate).Message.Split(Environment.NewLine);

        Assert.Equal(
            [
                "InteractionsColumns is 'user=a,itm=b', but the format is Protobuf; allowed: a mapping with the formats Json and Registry.",
                "InteractionsColumns is 'user=a,itm=b'; allowed: a mapping. 'itm' in 'user=a,itm=b' is not a field of an event; "
                    + "allowed: user, item, type, time, id, value, dwell, title.",
                "ItemsColumns is 'title=a'; allowed: a mapping. 'title=a' lacks the item; add item=….",
                "InteractionsTimeZone is 'Mars'; allowed: a name such as Europe/Berlin, or an offset such as +02:00.",
            ],
            lines
        );
        new KafkaOptions { InteractionsFormat = RecordFormat.Json, InteractionsColumns = "auto" }.Validate();
    }

    [Fact]
    public void Clients_ConnectionThatIsSilent_IsGivenUpWithinSeconds()
    {
        Assert.Equal("10000", KafkaClientSettings.Consumer(new KafkaOptions(), joins: true, commits: true).Get("socket.timeout.ms"));
        Assert.Equal("10000", KafkaClientSettings.Producer(new KafkaOptions()).Get("socket.timeout.ms"));
        KafkaOptions slower = new() { Client = new Dictionary<string, string> { ["socket.timeout.ms"] = "45000" } };
        Assert.Equal("45000", KafkaClientSettings.Consumer(slower, joins: true, commits: true).Get("socket.timeout.ms"));
    }

    [Fact]
    public void Consumer_SecuritySettings_ReachTheClientWithCertificateChecksOn()
    {
        string file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, "from the file\n");
            KafkaOptions options = new()
            {
                SecurityProtocol = "sasl_ssl",
                SaslMechanism = "SCRAM-SHA-512",
                SaslUsername = "trainer",
                SaslPasswordFile = file,
                SslCaLocation = file,
                Client = new Dictionary<string, string> { ["fetch.min.bytes"] = "17", ["queued.max.messages.kbytes"] = "99" },
            };
            options.Validate();
            ConsumerConfig config = KafkaClientSettings.Consumer(options, joins: true, commits: true);
            Assert.Equal("sasl_ssl", config.Get("security.protocol"));
            Assert.Equal("SCRAM-SHA-512", config.Get("sasl.mechanisms"));
            Assert.Equal("from the file", config.Get("sasl.password"));
            Assert.Equal(file, config.Get("ssl.ca.location"));
            Assert.Equal("17", config.Get("fetch.min.bytes"));
            Assert.Equal("99", config.Get("queued.max.messages.kbytes"));
            Assert.Equal("false", config.Get("enable.auto.offset.store").ToLowerInvariant());
            Assert.Equal("https", config.Get("ssl.endpoint.identification.algorithm"));
            Assert.Null(config.Get("enable.ssl.certificate.verification")); // librdkafka's own default: on
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void Consumer_ClassicGroup_AssignsByRangeWithTheSessionOfTheSettings()
    {
        KafkaOptions options = new() { SessionTimeout = TimeSpan.FromSeconds(20), GroupInstanceId = "worker-0" };
        ConsumerConfig config = KafkaClientSettings.Consumer(options, joins: true, commits: true);
        Assert.Equal("range", config.Get("partition.assignment.strategy"));
        Assert.Equal("20000", config.Get("session.timeout.ms"));
        Assert.Equal("worker-0", config.Get("group.instance.id"));
        Assert.Equal("error", config.Get("auto.offset.reset"));
        Assert.Equal("read_committed", config.Get("isolation.level"));
        Assert.Equal("true", config.Get("enable.partition.eof").ToLowerInvariant());
    }

    [Fact]
    public void Consumer_ConsumerProtocol_LeavesToTheBrokerWhatIsTheBrokers()
    {
        ConsumerConfig config = KafkaClientSettings.Consumer(
            new KafkaOptions { GroupProtocol = KafkaGroupProtocol.Consumer },
            joins: true,
            commits: true
        );
        Assert.Equal("consumer", config.Get("group.protocol"));
        Assert.All(
            ["partition.assignment.strategy", "session.timeout.ms", "heartbeat.interval.ms", "group.instance.id"],
            name => Assert.Null(config.Get(name))
        );
    }

    [Fact]
    public void Consumer_OfTheCatalogue_CommitsNothingAndJoinsNoGroup()
    {
        ConsumerConfig config = KafkaClientSettings.Consumer(
            new KafkaOptions { GroupProtocol = KafkaGroupProtocol.Consumer, GroupInstanceId = "x" },
            joins: false,
            commits: false
        );
        Assert.Equal("false", config.Get("enable.auto.commit").ToLowerInvariant());
        Assert.All(["group.protocol", "group.instance.id"], name => Assert.Null(config.Get(name)));
    }

    [Theory]
    [InlineData("isolation.level")]
    [InlineData("group.protocol")]
    [InlineData("group.instance.id")]
    [InlineData("heartbeat.interval.ms")]
    public void Validate_ClientSettingsOnWhichTheGuaranteesRest_AreRefused(string name)
    {
        KafkaOptions options = new() { Client = new Dictionary<string, string> { [name] = "1" } };
        Assert.StartsWith(
            $"Client is '{name}'; allowed: any setting of librdkafka but those that this program sets itself",
            Assert.Throws<OptionsException>(options.Validate).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Validate_GroupSettingsWithoutAGroup_AreRefused()
    {
        KafkaOptions options = new()
        {
            Assignment = KafkaAssignment.Static,
            GroupProtocol = KafkaGroupProtocol.Consumer,
            GroupInstanceId = "x",
        };
        Assert.Equal(
            [
                "GroupProtocol is Consumer; allowed: Classic, unless STREAMING__Kafka__Assignment is Group.",
                "GroupInstanceId is 'x'; allowed: empty, unless STREAMING__Kafka__Assignment is Group.",
            ],
            Assert.Throws<OptionsException>(options.Validate).Message.Split(Environment.NewLine)
        );
    }

    [Theory]
    [InlineData("fetch.max.bytez", "1", "a property of librdkafka ")]
    [InlineData("fetch.min.bytes", "many", "a value that librdkafka takes for it.")]
    [InlineData("compression.type", "rar-s3cret", "a value that librdkafka takes for it.")]
    public void Validate_ClientSettingsThatLibrdkafkaDoesNotTake_AreRefusedWithoutTheirValue(string name, string value, string allowed)
    {
        string message = Assert
            .Throws<OptionsException>(new KafkaOptions { Client = new Dictionary<string, string> { [name] = value } }.Validate)
            .Message;
        Assert.StartsWith($"Client is '{name}'; allowed: {allowed}", message, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("sasl_ssl", "", "SaslMechanism is empty; allowed: one of PLAIN, ")]
    [InlineData("sasl_ssl", "CRAM-MD5", "SaslMechanism is 'CRAM-MD5'; allowed: PLAIN, SCRAM-SHA-256, ")]
    [InlineData("ssl", "GSSAPI", "SaslMechanism is 'GSSAPI'; allowed: empty, unless ")]
    [InlineData("sasl_ssl", "PLAIN", "SaslUsername is empty; allowed: a user's name with PLAIN.")]
    public void Validate_SaslThatCannotWork_IsRefused(string protocol, string mechanism, string error) =>
        Assert.StartsWith(
            error,
            Assert.Throws<OptionsException>(new KafkaOptions { SecurityProtocol = protocol, SaslMechanism = mechanism }.Validate).Message,
            StringComparison.Ordinal
        );

    [Fact]
    public void ToString_HasNoPassword() =>
        Assert.DoesNotContain(
            "s3cret",
            new KafkaOptions { SaslPassword = "s3cret", SslKeyPassword = "s3cret" }.ToString(),
            StringComparison.Ordinal
        );
}
