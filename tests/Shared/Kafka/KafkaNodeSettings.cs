namespace Streaming.Tests.Kafka;

/// <summary>The settings of a node: small, with short timeouts for failure detection and cleanup.</summary>
internal static class KafkaNodeSettings
{
    /// <summary>Returns the lines of the settings file.</summary>
    public static IEnumerable<string> Lines(KafkaNode node, IReadOnlyList<KafkaNode> nodes, KafkaSecurity? security)
    {
        int replicas = Math.Min(3, nodes.Count);
        int least = Math.Max(1, replicas - 1);
        return
        [
            "process.roles=broker,controller",
            $"node.id={node.Id}",
            "controller.listener.names=CONTROLLER",
            $"controller.quorum.bootstrap.servers={string.Join(',', nodes.Select(static other => $"127.0.0.1:{other.ControllerPort}"))}",
            $"log.dirs={node.Data}",
            $"default.replication.factor={replicas}",
            $"min.insync.replicas={least}",
            $"offsets.topic.replication.factor={replicas}",
            "offsets.topic.num.partitions=3",
            $"transaction.state.log.replication.factor={replicas}",
            $"transaction.state.log.min.isr={least}",
            "transaction.state.log.num.partitions=3",
            // A misspelt topic stays missing.
            "auto.create.topics.enable=false",
            "delete.topic.enable=true",
            // Fence a dead broker, and remove a dead member of a group, within seconds.
            "broker.session.timeout.ms=6000",
            "broker.heartbeat.interval.ms=1000",
            "group.initial.rebalance.delay.ms=0",
            "group.min.session.timeout.ms=1000",
            "group.consumer.min.session.timeout.ms=3000",
            "group.consumer.session.timeout.ms=10000",
            "group.consumer.min.heartbeat.interval.ms=500",
            "group.consumer.heartbeat.interval.ms=500",
            // Run retention and compaction while a test waits.
            "log.initial.task.delay.ms=1000",
            "log.retention.check.interval.ms=1000",
            "log.cleaner.backoff.ms=1000",
            // A laptop's share of threads and memory.
            "num.network.threads=2",
            "num.io.threads=3",
            "background.threads=2",
            "log.cleaner.dedupe.buffer.size=8388608",
            .. security is null ? Plain(node) : Secure(node, security),
        ];
    }

    private static string[] Plain(KafkaNode node) =>
        [
            $"listeners=PLAINTEXT://127.0.0.1:{node.Port},CONTROLLER://127.0.0.1:{node.ControllerPort}",
            $"advertised.listeners=PLAINTEXT://127.0.0.1:{node.Port}",
            "inter.broker.listener.name=PLAINTEXT",
            "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        ];

    // Controllers use plain text, on loopback only; the authorizer sees them as ANONYMOUS.
    private static string[] Secure(KafkaNode node, KafkaSecurity security) =>
        [
            $"listeners=SASL_SSL://127.0.0.1:{node.Port},SSL://127.0.0.1:{node.MutualTlsPort},CONTROLLER://127.0.0.1:{node.ControllerPort}",
            $"advertised.listeners=SASL_SSL://127.0.0.1:{node.Port},SSL://127.0.0.1:{node.MutualTlsPort}",
            "inter.broker.listener.name=SASL_SSL",
            "listener.security.protocol.map=SASL_SSL:SASL_SSL,SSL:SSL,CONTROLLER:PLAINTEXT",
            "sasl.enabled.mechanisms=SCRAM-SHA-512",
            "sasl.mechanism.inter.broker.protocol=SCRAM-SHA-512",
            $"listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required "
                + $"username=\"{KafkaSecurity.Admin}\" password=\"{KafkaSecurity.PasswordOf(KafkaSecurity.Admin)}\";",
            "listener.name.ssl.ssl.client.auth=required",
            "ssl.keystore.type=PEM",
            $"ssl.keystore.location={security.BrokerFile}",
            "ssl.truststore.type=PEM",
            $"ssl.truststore.location={security.AuthorityFile}",
            "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "allow.everyone.if.no.acl.found=false",
            $"super.users=User:{KafkaSecurity.Admin};User:ANONYMOUS",
        ];
}
