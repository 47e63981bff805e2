using System.Text.RegularExpressions;

namespace Streaming.Transport.Kafka.Clients;

/// <summary>What is wrong with the Kafka settings: all of it at once. Values of secrets are never named.</summary>
internal static partial class KafkaOptionsCheck
{
    private static readonly string[] Protocols = ["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"];

    // Set by this program because its guarantees rest on them, or running foreign code or programs.
    private static readonly string[] Refused =
    [
        "bootstrap.servers", "metadata.broker.list", "group.id", "group.instance.id", "enable.auto.commit", "enable.auto.offset.store",
        "auto.offset.reset", "enable.partition.eof", "partition.assignment.strategy", "group.protocol", "session.timeout.ms", "heartbeat.interval.ms",
        "isolation.level", "enable.idempotence",
        "ssl.engine.location", "sasl.kerberos.kinit.cmd", "sasl.username", "sasl.password", "sasl.mechanism", "sasl.mechanisms",
        "security.protocol", "ssl.key.password", "ssl.keystore.password", "sasl.oauthbearer.client.secret",
    ];

    // All of these load foreign code, whatever a later version of the client adds.
    private const string Plugins = "plugin.";

    public static List<string> Errors(KafkaOptions options)
    {
        List<string> errors = [];
        void Check(bool isGood, string name, object value, string allowed)
        {
            if (!isGood)
            {
                errors.Add($"Kafka:{name} is '{value}'; allowed: {allowed}.");
            }
        }

        // The client's own message would not name the file. Authorities may also be a folder.
        void CheckFile(string name, string path) => Check(path.Length == 0 || Path.Exists(path), name, path, "a file that exists");

        Check(options.BootstrapServers.Length > 0 && options.BootstrapServers.Split(',').All(server => Server().IsMatch(server.Trim())), nameof(options.BootstrapServers), options.BootstrapServers, "host:port, separated by commas");
        Check(Topic().IsMatch(options.InteractionsTopic), nameof(options.InteractionsTopic), options.InteractionsTopic, "1 to 249 letters, digits, '.', '_' and '-'");
        Check(options.ItemsTopic.Length == 0 || Topic().IsMatch(options.ItemsTopic), nameof(options.ItemsTopic), options.ItemsTopic, "empty, or 1 to 249 letters, digits, '.', '_' and '-'");
        Check(Topic().IsMatch(options.DeadLetterTopic), nameof(options.DeadLetterTopic), options.DeadLetterTopic, "1 to 249 letters, digits, '.', '_' and '-'");
        Check(options.InteractionsTopic != options.ItemsTopic && options.InteractionsTopic != options.DeadLetterTopic && options.ItemsTopic != options.DeadLetterTopic, nameof(options.DeadLetterTopic), options.DeadLetterTopic, "three different topics");
        Check(options.GroupId.Length is > 0 and <= 255, nameof(options.GroupId), options.GroupId, "1 to 255 characters");
        Check(options.MaxDeadLetterRate is >= 0 and <= 1, nameof(options.MaxDeadLetterRate), options.MaxDeadLetterRate, "0 to 1");
        Check(options.DeadLetterWindow is >= 1 and <= 1_000_000, nameof(options.DeadLetterWindow), options.DeadLetterWindow, "1 to 1,000,000");
        Check(options.MaxRecordBytes is >= 64 and <= 64 << 20, nameof(options.MaxRecordBytes), options.MaxRecordBytes, "64 to 67,108,864");
        Check(Enum.IsDefined(options.InteractionsFormat), nameof(options.InteractionsFormat), options.InteractionsFormat, "Protobuf, Json, Registry");
        Check(Enum.IsDefined(options.ItemsFormat), nameof(options.ItemsFormat), options.ItemsFormat, "Protobuf, Json, Registry");
        Check(Enum.IsDefined(options.InteractionsTimeUnit), nameof(options.InteractionsTimeUnit), options.InteractionsTimeUnit, "Auto, S, Ms, Us, Ns");
        errors.AddRange(MappingCheck.Errors(options));
        errors.AddRange(RegistryOptionsCheck.Errors(options));
        Check(Enum.IsDefined(options.Assignment), nameof(options.Assignment), options.Assignment, "Group, Static");
        Check(Enum.IsDefined(options.GroupProtocol), nameof(options.GroupProtocol), options.GroupProtocol, "Classic, Consumer");
        Check(options.GroupProtocol == KafkaGroupProtocol.Classic || options.Assignment == KafkaAssignment.Group, nameof(options.GroupProtocol), options.GroupProtocol, "Classic, unless Kafka__Assignment is Group");
        Check(options.GroupInstanceId.Length <= 249, nameof(options.GroupInstanceId), options.GroupInstanceId, "at most 249 characters");
        Check(options.GroupInstanceId.Length == 0 || options.Assignment == KafkaAssignment.Group, nameof(options.GroupInstanceId), options.GroupInstanceId, "empty, unless Kafka__Assignment is Group");
        Check(KafkaStart.TryParse(options.Start, out _), nameof(options.Start), options.Start, KafkaStart.Allowed);
        Check(IsBetween(options.SessionTimeout, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(5)), nameof(options.SessionTimeout), options.SessionTimeout, "1 second to 5 minutes");
        Check(IsBetween(options.MetadataRefresh, TimeSpan.FromMilliseconds(100), TimeSpan.FromHours(1)), nameof(options.MetadataRefresh), options.MetadataRefresh, "100 ms to 1 hour");
        Check(Protocols.Contains(options.SecurityProtocol, StringComparer.OrdinalIgnoreCase), nameof(options.SecurityProtocol), options.SecurityProtocol, string.Join(", ", Protocols));
        Check(options.SaslPassword.Length == 0 || options.SaslPasswordFile.Length == 0, nameof(options.SaslPasswordFile), options.SaslPasswordFile, "only one of SaslPassword and SaslPasswordFile");
        Check(options.SslKeyPassword.Length == 0 || options.SslKeyPasswordFile.Length == 0, nameof(options.SslKeyPasswordFile), options.SslKeyPasswordFile, "only one of SslKeyPassword and SslKeyPasswordFile");
        CheckFile(nameof(options.SaslPasswordFile), options.SaslPasswordFile);
        CheckFile(nameof(options.SslCaLocation), options.SslCaLocation);
        CheckFile(nameof(options.SslCertificateLocation), options.SslCertificateLocation);
        CheckFile(nameof(options.SslKeyLocation), options.SslKeyLocation);
        CheckFile(nameof(options.SslKeyPasswordFile), options.SslKeyPasswordFile);
        foreach (string name in options.Client.Keys)
        {
            Check(!Refused.Contains(name, StringComparer.OrdinalIgnoreCase) && !name.StartsWith(Plugins, StringComparison.OrdinalIgnoreCase), nameof(options.Client), name, "any setting of librdkafka but those that this program sets itself or that run programs");
        }

        return errors;
    }

    private static bool IsBetween(TimeSpan value, TimeSpan min, TimeSpan max) => value >= min && value <= max;

    [GeneratedRegex(@"^[A-Za-z0-9._\-]{1,249}$")]
    private static partial Regex Topic();

    [GeneratedRegex(@"^([A-Za-z]+://)?(\[[0-9A-Fa-f:.]+\]|[^\s:\[\]]+)(:[0-9]{1,5})?$")]
    private static partial Regex Server();
}
