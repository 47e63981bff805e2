using Streaming.Formats.Mapping;

namespace Streaming.Transport.Kafka.Clients;

/// <summary>How to reach Kafka, and what to read there.</summary>
public sealed class KafkaOptions
{
    /// <summary>Gets or sets the brokers, <c>host:port</c>, separated by commas. Default <c>localhost:9092</c>.</summary>
    public string BootstrapServers { get; set; } = "localhost:9092";

    /// <summary>Gets or sets the topic of the events. Default <c>interactions</c>.</summary>
    public string InteractionsTopic { get; set; } = "interactions";

    /// <summary>Gets or sets how events are written: Protobuf or Json as in schemas, or Registry: as the schema of <c>Kafka__Registry__Url</c> says whose id each value names. Default Protobuf.</summary>
    public RecordFormat InteractionsFormat { get; set; } = RecordFormat.Protobuf;

    /// <summary>Gets or sets which field of a JSON or Registry event is what, where it is not of the contract's shape: <c>user=after.user.id,item=lines[].sku,type=:purchase,time=$timestamp</c>,
    /// the grammar of src/Streaming.Formats/README.md; <c>auto</c>: by the names that records have. Default empty: the contract's shape; with the format Registry <c>auto</c>.</summary>
    public string InteractionsColumns { get; set; } = string.Empty;

    /// <summary>Gets or sets what numbers that are times count since 1970, with <see cref="InteractionsColumns"/>. Default Auto: the unit that
    /// gives a time between 1990 and 2100.</summary>
    public TimeUnit InteractionsTimeUnit { get; set; } = TimeUnit.Auto;

    /// <summary>Gets or sets the form of times that are not ISO-8601, with <see cref="InteractionsColumns"/>, such as <c>dd.MM.yyyy HH:mm:ss</c>. Default empty: ISO-8601.</summary>
    public string InteractionsTimeFormat { get; set; } = string.Empty;

    /// <summary>Gets or sets the zone of times without one, with <see cref="InteractionsColumns"/>, such as <c>Europe/Berlin</c> or <c>+02:00</c>. Default empty: UTC.</summary>
    public string InteractionsTimeZone { get; set; } = string.Empty;

    /// <summary>Gets or sets the compacted topic of the catalogue; empty: there is none. Default <c>items</c>.</summary>
    public string ItemsTopic { get; set; } = "items";

    /// <summary>Gets or sets how items are written, in the same ways. Default Protobuf.</summary>
    public RecordFormat ItemsFormat { get; set; } = RecordFormat.Protobuf;

    /// <summary>Gets or sets which field of a JSON or Registry catalogue record is what, where it is not of the contract's shape: <c>item=after.sku,title=after.name</c>.
    /// Every name but item is a text field, or a declared feature group. Default empty: the contract's shape; the format Registry needs one.</summary>
    public string ItemsColumns { get; set; } = string.Empty;

    /// <summary>Gets or sets the topic for records that cannot be used. Default <c>interactions.dead-letters</c>.</summary>
    public string DeadLetterTopic { get; set; } = "interactions.dead-letters";

    /// <summary>Gets or sets the share of dead letters among the newest <see cref="DeadLetterWindow"/> records above which the
    /// worker stops, because then the producer is broken. 0 … 1; 1: never. Default 0.5.</summary>
    public double MaxDeadLetterRate { get; set; } = 0.5;

    /// <summary>Gets or sets the number of records over which the rate of dead letters is taken. 1 … 1,000,000. Default 1,000.</summary>
    public int DeadLetterWindow { get; set; } = 1000;

    /// <summary>Gets or sets the longest record value that is decoded, in bytes. 64 … 67,108,864. Default 1,048,576.</summary>
    public int MaxRecordBytes { get; set; } = 1 << 20;

    /// <summary>Gets or sets the consumer group. Default <c>streaming</c>.</summary>
    public string GroupId { get; set; } = "streaming";

    /// <summary>Gets or sets who says which partitions are read. Default Group.</summary>
    public KafkaAssignment Assignment { get; set; } = KafkaAssignment.Group;

    /// <summary>Gets or sets how members of the group share partitions: <c>Classic</c> works with any broker, <c>Consumer</c> (KIP-848)
    /// needs Apache Kafka 4.0 or newer. Default Classic.</summary>
    public KafkaGroupProtocol GroupProtocol { get; set; } = KafkaGroupProtocol.Classic;

    /// <summary>Gets or sets a name for this member that stays over restarts: one that is back within the session timeout gets its partitions
    /// without a rebalance. No two members of a group may share one. Default empty: none.</summary>
    public string GroupInstanceId { get; set; } = string.Empty;

    /// <summary>Gets or sets where a model that has seen nothing yet starts: <c>earliest</c>, <c>latest</c>, or at the first event since an
    /// ISO 8601 time with a zone (2026-03-01T06:00:00Z). Default earliest.</summary>
    public string Start { get; set; } = "earliest";

    /// <summary>Gets or sets a value indicating whether to continue, with a warning and a count, when records were deleted before they were read:
    /// at the oldest record left, or at the beginning of a topic that was created anew. Default false: the worker stops and says what is lost.</summary>
    public bool SkipMissing { get; set; }

    /// <summary>Gets or sets after how long without a heartbeat a member loses its partitions; with <c>Kafka__GroupProtocol=Consumer</c> the broker
    /// decides. Also after how long a missing assignment is reported. 1 s … 5 min. Default 10 s.</summary>
    public TimeSpan SessionTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Gets or sets how often new partitions are looked for. 100 ms … 1 h. Default 30 s.</summary>
    public TimeSpan MetadataRefresh { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Gets or sets the security protocol: <c>plaintext</c>, <c>ssl</c>, <c>sasl_plaintext</c> or <c>sasl_ssl</c>. Default <c>plaintext</c>.</summary>
    public string SecurityProtocol { get; set; } = "plaintext";

    /// <summary>Gets or sets the SASL mechanism: <c>PLAIN</c>, <c>SCRAM-SHA-256</c>, <c>SCRAM-SHA-512</c>, … Empty: none.</summary>
    public string SaslMechanism { get; set; } = string.Empty;

    /// <summary>Gets or sets the SASL user.</summary>
    public string SaslUsername { get; set; } = string.Empty;

    /// <summary>Gets or sets the SASL password. A secret.</summary>
    public string SaslPassword { get; set; } = string.Empty;

    /// <summary>Gets or sets the file with the SASL password, in place of <see cref="SaslPassword"/>.</summary>
    public string SaslPasswordFile { get; set; } = string.Empty;

    /// <summary>Gets or sets the file or folder with the certificates of the authorities that are trusted. Empty: the system's.</summary>
    public string SslCaLocation { get; set; } = string.Empty;

    /// <summary>Gets or sets the file with this client's certificate.</summary>
    public string SslCertificateLocation { get; set; } = string.Empty;

    /// <summary>Gets or sets the file with this client's private key.</summary>
    public string SslKeyLocation { get; set; } = string.Empty;

    /// <summary>Gets or sets the password of the private key. A secret.</summary>
    public string SslKeyPassword { get; set; } = string.Empty;

    /// <summary>Gets or sets the file with the password of the private key, in place of <see cref="SslKeyPassword"/>.</summary>
    public string SslKeyPasswordFile { get; set; } = string.Empty;

    /// <summary>Gets or sets further settings of librdkafka by its own names (<c>fetch.min.bytes</c>, …), for all clients.
    /// Those on which the guarantees rest, and those that run programs, are refused.</summary>
    public Dictionary<string, string> Client { get; set; } = new(StringComparer.Ordinal);

    /// <summary>Gets the schema registry of topics whose format is Registry.</summary>
    public RegistryOptions Registry { get; set; } = new();

    /// <summary>Makes a copy that may be changed.</summary>
    public KafkaOptions Copy()
    {
        var copy = (KafkaOptions)MemberwiseClone();
        copy.Client = new Dictionary<string, string>(Client, StringComparer.Ordinal);
        return copy;
    }

    /// <summary>Checks the bounds.</summary>
    /// <exception cref="ArgumentException">One line for each setting that is out of bounds: its name, its value, what is allowed.</exception>
    public void Validate()
    {
        List<string> errors = KafkaOptionsCheck.Errors(this);
        if (errors.Count > 0)
        {
            throw new ArgumentException(string.Join(Environment.NewLine, errors));
        }
    }
}
