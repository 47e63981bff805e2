using Streaming.Core.Options;
using Streaming.Formats.Mapping;

namespace Streaming.Transport.Kafka.Clients;

/// <summary>How to reach Kafka, and what to read.</summary>
public sealed record KafkaOptions
{
    /// <summary>Gets the brokers, comma-separated <c>host:port</c>. Default <c>localhost:9092</c>.</summary>
    public string BootstrapServers { get; init; } = "localhost:9092";

    /// <summary>Gets the topic of the events. Default <c>interactions</c>.</summary>
    public string InteractionsTopic { get; init; } = "interactions";

    /// <summary>
    /// Gets the format of events: Protobuf or Json as defined in schemas, or Registry: each value names the id of its schema in
    /// <c>STREAMING__Kafka__Registry__Url</c>. Default Protobuf.
    /// </summary>
    public RecordFormat InteractionsFormat { get; init; } = RecordFormat.Protobuf;

    /// <summary>Gets the mapping of JSON or Registry events that are not of the contract's shape, such as
    /// <c>user=after.user.id,item=lines[].sku,type=:purchase,time=$timestamp</c> (grammar: src/Streaming.Formats/README.md). <c>auto</c>
    /// maps well-known field names. Default empty: the contract's shape; with the format Registry, <c>auto</c>.</summary>
    public string InteractionsColumns { get; init; } = string.Empty;

    /// <summary>Gets the unit of numeric times since 1970, with <see cref="InteractionsColumns"/>. Default Auto: the unit that gives a
    /// time between 1990 and 2100.</summary>
    public TimeUnit InteractionsTimeUnit { get; init; } = TimeUnit.Auto;

    /// <summary>
    /// Gets the format of times that are not ISO 8601, with <see cref="InteractionsColumns"/>, such as <c>dd.MM.yyyy HH:mm:ss</c>. Default
    /// empty: ISO 8601.
    /// </summary>
    public string InteractionsTimeFormat { get; init; } = string.Empty;

    /// <summary>
    /// Gets the time zone of times without one, with <see cref="InteractionsColumns"/>, such as <c>Europe/Berlin</c> or <c>+02:00</c>.
    /// Default empty: UTC.</summary>
    public string InteractionsTimeZone { get; init; } = string.Empty;

    /// <summary>Gets the compacted topic of the catalogue; empty: no catalogue. Default <c>items</c>.</summary>
    public string ItemsTopic { get; init; } = "items";

    /// <summary>Gets the format of catalogue records, as for events. Default Protobuf.</summary>
    public RecordFormat ItemsFormat { get; init; } = RecordFormat.Protobuf;

    /// <summary>Gets the mapping of JSON or Registry catalogue records that are not of the contract's shape, such as
    /// <c>item=after.sku,title=after.name</c>. Every name except item is a text field or a declared feature group. Default empty: the
    /// contract's shape; the format Registry requires a mapping.</summary>
    public string ItemsColumns { get; init; } = string.Empty;

    /// <summary>Gets the topic for records that cannot be used. Default <c>interactions.dead-letters</c>.</summary>
    public string DeadLetterTopic { get; init; } = "interactions.dead-letters";

    /// <summary>Gets the share of dead letters among the newest <see cref="DeadLetterWindow"/> records above which the
    /// worker stops, because the producer must be broken. 0 … 1; 1: never. Default 0.5.</summary>
    public double MaxDeadLetterRate { get; init; } = 0.5;

    /// <summary>Gets the number of records over which the share of dead letters is measured. 1 … 1,000,000. Default 1,000.</summary>
    public int DeadLetterWindow { get; init; } = 1000;

    /// <summary>Gets the longest record value that is decoded, in bytes. 64 … 67,108,864. Default 1,048,576.</summary>
    public int MaxRecordBytes { get; init; } = 1 << 20;

    /// <summary>Gets the consumer group. Default empty: <c>streaming-MODEL</c>, with the name of STREAMING__Redis__Model, so that
    /// models do not share a group. At most 255 characters.</summary>
    public string GroupId { get; init; } = string.Empty;

    /// <summary>Gets how partitions are assigned. Default Group.</summary>
    public KafkaAssignment Assignment { get; init; } = KafkaAssignment.Group;

    /// <summary>Gets how members of the group share partitions: <c>Classic</c> works with any broker, <c>Consumer</c> (KIP-848)
    /// needs Apache Kafka 4.0 or newer. Default Classic.</summary>
    public KafkaGroupProtocol GroupProtocol { get; init; } = KafkaGroupProtocol.Classic;

    /// <summary>Gets the stable name of this member (<c>group.instance.id</c>): after a restart within the session timeout, it gets its
    /// partitions back without a rebalance. Members of a group must not share one. Default empty: none.</summary>
    public string GroupInstanceId { get; init; } = string.Empty;

    /// <summary>Gets where a model without a checkpoint starts: <c>earliest</c>, <c>latest</c>, or at the first event since an
    /// ISO 8601 time with a zone (2026-03-01T06:00:00Z). Default earliest.</summary>
    public string Start { get; init; } = "earliest";

    /// <summary>Gets a value indicating whether to continue, with a warning and a count, when records were deleted before they were read:
    /// at the oldest remaining record, or at the beginning of a recreated topic. Default false: the worker stops and reports what is
    /// missing.</summary>
    public bool SkipMissing { get; init; }

    /// <summary>Gets the time without a heartbeat after which a member loses its partitions; with
    /// <c>STREAMING__Kafka__GroupProtocol=Consumer</c> the broker decides. Also the time after which a missing assignment is reported.
    /// 1 s … 5 min. Default 10 s.</summary>
    public TimeSpan SessionTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Gets how often to check for new partitions. 100 ms … 1 h. Default 30 s.</summary>
    public TimeSpan MetadataRefresh { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Gets the security protocol: <c>plaintext</c>, <c>ssl</c>, <c>sasl_plaintext</c> or <c>sasl_ssl</c>. Default <c>plaintext</c>.
    /// </summary>
    public string SecurityProtocol { get; init; } = "plaintext";

    /// <summary>Gets the SASL mechanism: <c>PLAIN</c>, <c>SCRAM-SHA-256</c>, <c>SCRAM-SHA-512</c>, … Empty: none.</summary>
    public string SaslMechanism { get; init; } = string.Empty;

    /// <summary>Gets the SASL user.</summary>
    public string SaslUsername { get; init; } = string.Empty;

    /// <summary>Gets the SASL password. Secret.</summary>
    public string SaslPassword { get; init; } = string.Empty;

    /// <summary>Gets the file with the SASL password, instead of <see cref="SaslPassword"/>.</summary>
    public string SaslPasswordFile { get; init; } = string.Empty;

    /// <summary>Gets the file or directory with the trusted CA certificates. Empty: the system's.</summary>
    public string SslCaLocation { get; init; } = string.Empty;

    /// <summary>Gets the file with this client's certificate.</summary>
    public string SslCertificateLocation { get; init; } = string.Empty;

    /// <summary>Gets the file with this client's private key.</summary>
    public string SslKeyLocation { get; init; } = string.Empty;

    /// <summary>Gets the password of the private key. Secret.</summary>
    public string SslKeyPassword { get; init; } = string.Empty;

    /// <summary>Gets the file with the password of the private key, instead of <see cref="SslKeyPassword"/>.</summary>
    public string SslKeyPasswordFile { get; init; } = string.Empty;

    /// <summary>Gets further librdkafka properties (<c>fetch.min.bytes</c>, …), for all clients. Properties that the delivery guarantees
    /// depend on, and those that run programs, are rejected.</summary>
    public IReadOnlyDictionary<string, string> Client { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Gets the schema registry of topics whose format is Registry.</summary>
    public RegistryOptions Registry { get; init; } = new();

    /// <summary>Checks every property.</summary>
    /// <exception cref="OptionsException">Names every invalid property, its value and what is allowed; contains no
    /// secrets.</exception>
    /// <exception cref="Native.KafkaLibraryException"><see cref="Client"/> is set and librdkafka, which checks it, cannot be
    /// loaded.</exception>
    public void Validate() => KafkaOptionsCheck.Verify(this);

    /// <summary>Omits passwords and everything of <see cref="Client"/>.</summary>
    public override string ToString() =>
        $"KafkaOptions {{ BootstrapServers = {BootstrapServers}, InteractionsTopic = {InteractionsTopic}, GroupId = {GroupId} }}";
}
