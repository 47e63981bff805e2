using System.Text.RegularExpressions;
using Streaming.Core.Options;
using Streaming.Transport.Kafka.Native;

namespace Streaming.Transport.Kafka.Clients;

/// <summary>What is wrong with the Kafka settings: all of it at once. Values of secrets are never named.</summary>
internal static partial class KafkaOptionsCheck
{
    private static readonly string[] Protocols = ["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"];

    // Those of librdkafka.
    private static readonly string[] Mechanisms = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER", "GSSAPI"];

    // Set by this program because its guarantees rest on them, or running foreign code or programs.
    private static readonly string[] Refused =
    [
        "bootstrap.servers",
        "metadata.broker.list",
        "group.id",
        "group.instance.id",
        "enable.auto.commit",
        "enable.auto.offset.store",
        "auto.offset.reset",
        "enable.partition.eof",
        "partition.assignment.strategy",
        "group.protocol",
        "session.timeout.ms",
        "heartbeat.interval.ms",
        "isolation.level",
        "enable.idempotence",
        "ssl.engine.location",
        "sasl.kerberos.kinit.cmd",
        "sasl.username",
        "sasl.password",
        "sasl.mechanism",
        "sasl.mechanisms",
        "security.protocol",
        "ssl.key.password",
        "ssl.keystore.password",
        "sasl.oauthbearer.client.secret",
    ];

    // All of these load foreign code, whatever a later version of the client adds.
    private const string Plugins = "plugin.";

    private const string TopicName = "1 to 249 letters, digits, '.', '_' and '-'";

    public static void Verify(KafkaOptions options)
    {
        var errors = new OptionErrors();
        Topics(options, errors);
        Records(options, errors);
        Group(options, errors);
        Security(options, errors);
        Client(options, errors);
        errors.Throw();
    }

    private static void Topics(KafkaOptions o, OptionErrors errors)
    {
        errors.Check(
            o.BootstrapServers.Length > 0 && o.BootstrapServers.Split(',').All(server => Server().IsMatch(server.Trim())),
            nameof(o.BootstrapServers),
            o.BootstrapServers,
            "host:port, separated by commas"
        );
        errors.Check(Topic().IsMatch(o.InteractionsTopic), nameof(o.InteractionsTopic), o.InteractionsTopic, TopicName);
        errors.Check(
            o.ItemsTopic.Length == 0 || Topic().IsMatch(o.ItemsTopic),
            nameof(o.ItemsTopic),
            o.ItemsTopic,
            "empty, or " + TopicName
        );
        errors.Check(Topic().IsMatch(o.DeadLetterTopic), nameof(o.DeadLetterTopic), o.DeadLetterTopic, TopicName);
        errors.Check(
            o.InteractionsTopic != o.ItemsTopic && o.InteractionsTopic != o.DeadLetterTopic && o.ItemsTopic != o.DeadLetterTopic,
            nameof(o.DeadLetterTopic),
            o.DeadLetterTopic,
            "three different topics"
        );
    }

    private static void Records(KafkaOptions o, OptionErrors errors)
    {
        errors.Range(nameof(o.MaxDeadLetterRate), o.MaxDeadLetterRate, 0, 1);
        errors.Range(nameof(o.DeadLetterWindow), o.DeadLetterWindow, 1, 1_000_000);
        errors.Range(nameof(o.MaxRecordBytes), o.MaxRecordBytes, 64, 64 << 20);
        errors.Defined(nameof(o.InteractionsFormat), o.InteractionsFormat);
        errors.Defined(nameof(o.ItemsFormat), o.ItemsFormat);
        errors.Defined(nameof(o.InteractionsTimeUnit), o.InteractionsTimeUnit);
        MappingCheck.Verify(o, errors);
        RegistryOptionsCheck.Verify(o, errors);
    }

    private static void Group(KafkaOptions o, OptionErrors errors)
    {
        errors.Check(o.GroupId.Length <= 255, nameof(o.GroupId), o.GroupId, "at most 255 characters");
        errors.Defined(nameof(o.Assignment), o.Assignment);
        errors.Defined(nameof(o.GroupProtocol), o.GroupProtocol);
        errors.Check(
            o.GroupProtocol == KafkaGroupProtocol.Classic || o.Assignment == KafkaAssignment.Group,
            nameof(o.GroupProtocol),
            o.GroupProtocol,
            "Classic, unless STREAMING__Kafka__Assignment is Group"
        );
        errors.Check(o.GroupInstanceId.Length <= 249, nameof(o.GroupInstanceId), o.GroupInstanceId, "at most 249 characters");
        errors.Check(
            o.GroupInstanceId.Length == 0 || o.Assignment == KafkaAssignment.Group,
            nameof(o.GroupInstanceId),
            o.GroupInstanceId,
            "empty, unless STREAMING__Kafka__Assignment is Group"
        );
        errors.Check(KafkaStart.TryParse(o.Start, out _), nameof(o.Start), o.Start, KafkaStart.Allowed);
        errors.Range(nameof(o.SessionTimeout), o.SessionTimeout, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(5));
        errors.Range(nameof(o.MetadataRefresh), o.MetadataRefresh, TimeSpan.FromMilliseconds(100), TimeSpan.FromHours(1));
    }

    private static void Security(KafkaOptions o, OptionErrors errors)
    {
        bool sasl = o.SecurityProtocol.StartsWith("sasl_", StringComparison.OrdinalIgnoreCase);
        errors.Check(
            Protocols.Contains(o.SecurityProtocol, StringComparer.OrdinalIgnoreCase),
            nameof(o.SecurityProtocol),
            o.SecurityProtocol,
            string.Join(", ", Protocols)
        );
        errors.Check(
            o.SaslMechanism.Length == 0 || Mechanisms.Contains(o.SaslMechanism),
            nameof(o.SaslMechanism),
            o.SaslMechanism,
            string.Join(", ", Mechanisms)
        );
        errors.Check(
            !sasl || o.SaslMechanism.Length > 0,
            nameof(o.SaslMechanism),
            o.SaslMechanism,
            $"one of {string.Join(", ", Mechanisms)} with STREAMING__Kafka__SecurityProtocol={o.SecurityProtocol}"
        );
        errors.Check(
            sasl || o.SaslMechanism.Length == 0,
            nameof(o.SaslMechanism),
            o.SaslMechanism,
            "empty, unless STREAMING__Kafka__SecurityProtocol is sasl_plaintext or sasl_ssl"
        );
        bool named = sasl && (o.SaslMechanism == "PLAIN" || o.SaslMechanism.StartsWith("SCRAM-", StringComparison.Ordinal));
        errors.Check(!named || o.SaslUsername.Length > 0, nameof(o.SaslUsername), o.SaslUsername, $"a user's name with {o.SaslMechanism}");
        errors.Check(
            !named || o.SaslPassword.Length > 0 || o.SaslPasswordFile.Length > 0,
            nameof(o.SaslPassword),
            o.SaslPassword,
            $"a password with {o.SaslMechanism}"
        );
        errors.Check(
            o.SaslPassword.Length == 0 || o.SaslPasswordFile.Length == 0,
            nameof(o.SaslPasswordFile),
            o.SaslPasswordFile,
            "only one of SaslPassword and SaslPasswordFile"
        );
        errors.Check(
            o.SslKeyPassword.Length == 0 || o.SslKeyPasswordFile.Length == 0,
            nameof(o.SslKeyPasswordFile),
            o.SslKeyPasswordFile,
            "only one of SslKeyPassword and SslKeyPasswordFile"
        );

        // The client's own message would not name the file. Authorities may also be a folder.
        foreach (
            (string name, string path) in new[]
            {
                (nameof(o.SaslPasswordFile), o.SaslPasswordFile),
                (nameof(o.SslCaLocation), o.SslCaLocation),
                (nameof(o.SslCertificateLocation), o.SslCertificateLocation),
                (nameof(o.SslKeyLocation), o.SslKeyLocation),
                (nameof(o.SslKeyPasswordFile), o.SslKeyPasswordFile),
            }
        )
        {
            errors.Check(path.Length == 0 || Path.Exists(path), name, path, "a file that exists");
        }
    }

    private static void Client(KafkaOptions o, OptionErrors errors)
    {
        foreach ((string name, string value) in o.Client)
        {
            if (Refused.Contains(name, StringComparer.OrdinalIgnoreCase) || name.StartsWith(Plugins, StringComparison.OrdinalIgnoreCase))
            {
                errors.Add(
                    nameof(o.Client),
                    $"'{name}'",
                    "any setting of librdkafka but those that this program sets itself or that run programs"
                );
            }
            else if (KafkaProperty.ErrorOf(name, value) is { } fault)
            {
                errors.Add(nameof(o.Client), $"'{name}'", fault);
            }
        }
    }

    [GeneratedRegex(@"^[A-Za-z0-9._\-]{1,249}$")]
    private static partial Regex Topic();

    [GeneratedRegex(
        @"^((PLAINTEXT|SSL|SASL_PLAINTEXT|SASL_SSL)://)?(\[[0-9A-Fa-f:.]+\]|[^\s:\[\]]+)(:[0-9]{1,5})?$",
        RegexOptions.IgnoreCase
    )]
    private static partial Regex Server();
}
