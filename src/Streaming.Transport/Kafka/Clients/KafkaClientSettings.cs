using System.Globalization;
using Confluent.Kafka;
using Streaming.Core.Tracing;

namespace Streaming.Transport.Kafka.Clients;

/// <summary>Turns <see cref="KafkaOptions"/> into the settings of librdkafka's clients.</summary>
internal static class KafkaClientSettings
{
    /// <summary>A consumer whose positions are this program's business alone: nothing is stored or reset behind its back.</summary>
    /// <param name="options">The settings.</param>
    /// <param name="joins">Whether it joins the group to be assigned partitions. One that assigns its own uses the group for commits
    /// only.</param>
    /// <param name="commits">Whether it commits.</param>
    public static ConsumerConfig Consumer(KafkaOptions options, bool joins, bool commits)
    {
        ConsumerConfig config = new(Common(options))
        {
            GroupId = options.GroupId,

            // Commits are for lag dashboards: in the background, and of nothing but what a checkpoint holds.
            EnableAutoCommit = commits,
            AutoCommitIntervalMs = 1000,
            EnableAutoOffsetStore = false,
            EnablePartitionEof = true,

            // What aborted transactions wrote is not an event.
            IsolationLevel = IsolationLevel.ReadCommitted,
            AutoOffsetReset = AutoOffsetReset.Error,
            ConsumeResultFields =
                MappingCheck.NeedsHeaders(options) || StreamTracing.Source.HasListeners() ? "timestamp,headers" : "timestamp",
            AllowAutoCreateTopics = false,
        };
        if (joins)
        {
            Join(config, options);
        }

        // librdkafka reads ahead: enough to be busy, little enough that a pause does not throw much away. May be set otherwise.
        SetDefault(config, "queued.max.messages.kbytes", "16384");
        SetDefault(config, "topic.metadata.refresh.interval.ms", Milliseconds(options.MetadataRefresh));
        return config;
    }

    /// <summary>A producer that does not give up: what waits for delivery holds the positions back.</summary>
    public static ProducerConfig Producer(KafkaOptions options)
    {
        ProducerConfig config = new(Common(options))
        {
            EnableIdempotence = false,
            Acks = Acks.All,
            MessageTimeoutMs = 0,
        };
        SetDefault(config, "linger.ms", "5");
        SetDefault(config, "topic.metadata.refresh.interval.ms", Milliseconds(options.MetadataRefresh));
        return config;
    }

    /// <summary>An administrator that creates no topic by asking for it.</summary>
    public static AdminClientConfig Admin(KafkaOptions options)
    {
        AdminClientConfig config = new(Common(options));
        config.Set("allow.auto.create.topics", "false");
        return config;
    }

    private static void Join(ConsumerConfig config, KafkaOptions options)
    {
        config.GroupInstanceId = options.GroupInstanceId.Length > 0 ? options.GroupInstanceId : null;
        if (options.GroupProtocol == KafkaGroupProtocol.Consumer)
        {
            // The broker assigns, and has the session timeout and the heartbeats in its own settings.
            config.GroupProtocol = GroupProtocol.Consumer;
            return;
        }

        config.PartitionAssignmentStrategy = PartitionAssignmentStrategy.Range;
        config.SessionTimeoutMs = (int)options.SessionTimeout.TotalMilliseconds;
        config.HeartbeatIntervalMs = Math.Max(100, (int)(options.SessionTimeout.TotalMilliseconds / 10));
    }

    private static Dictionary<string, string> Common(KafkaOptions options)
    {
        Dictionary<string, string> settings = new(options.Client, StringComparer.Ordinal)
        {
            ["bootstrap.servers"] = options.BootstrapServers,
            ["security.protocol"] = options.SecurityProtocol,
        };

        // Older librdkafka (before 2.0) compares no names by itself: any certificate of a known authority would do.
        settings.TryAdd("ssl.endpoint.identification.algorithm", "https");

        // A connection on which nothing comes back any more is given up after this; a minute, the client's own limit, is a minute without
        // events.
        settings.TryAdd("socket.timeout.ms", "10000");
        // The client's own strategy is kept: with "none" a worker never finds brokers that have moved to another of the bootstrap
        // addresses.
        // But it starts from those addresses at once whenever all brokers refuse (a certificate, say), 40 times a second:
        // only the time between two attempts slows it down.
        settings.TryAdd("metadata.recovery.strategy", "rebootstrap");
        settings.TryAdd("reconnect.backoff.ms", "500");
        settings.TryAdd("reconnect.backoff.max.ms", "2000");
        SetIfGiven(settings, "sasl.mechanisms", options.SaslMechanism);
        SetIfGiven(settings, "sasl.username", options.SaslUsername);
        SetIfGiven(settings, "sasl.password", Secret(options.SaslPassword, options.SaslPasswordFile));
        SetIfGiven(settings, "ssl.ca.location", options.SslCaLocation);
        SetIfGiven(settings, "ssl.certificate.location", options.SslCertificateLocation);
        SetIfGiven(settings, "ssl.key.location", options.SslKeyLocation);
        SetIfGiven(settings, "ssl.key.password", Secret(options.SslKeyPassword, options.SslKeyPasswordFile));
        return settings;
    }

    // A file of secrets usually ends with a line break that is not part of the secret.
    private static string Secret(string value, string file) => file.Length == 0 ? value : File.ReadAllText(file).TrimEnd('\r', '\n');

    private static void SetIfGiven(Dictionary<string, string> settings, string name, string value)
    {
        if (value.Length > 0)
        {
            settings[name] = value;
        }
    }

    private static string Milliseconds(TimeSpan time) => ((int)time.TotalMilliseconds).ToString(CultureInfo.InvariantCulture);

    private static void SetDefault(ClientConfig config, string name, string value)
    {
        if (config.Get(name) is null)
        {
            config.Set(name, value);
        }
    }
}
