using System.Runtime.InteropServices;
using Streaming.Transport.Kafka.Native;

namespace Streaming.Lab.Embedded;

/// <summary>The functions of librdkafka's mock cluster (rdkafka_mock.h), which Confluent's client does not expose.</summary>
/// <remarks><see cref="KafkaLibrary"/> resolves the name to the library that Confluent.Kafka uses.</remarks>
internal static class LibRdKafka
{
    private const string Library = "librdkafka";

    // Before the first call: the runtime's default search would find the system's librdkafka.
    static LibRdKafka() => KafkaLibrary.ResolveFor(typeof(LibRdKafka).Assembly);

    [DllImport(Library, EntryPoint = "rd_kafka_conf_new")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories | DllImportSearchPath.AssemblyDirectory)]
    internal static extern nint ConfNew();

    [DllImport(Library, EntryPoint = "rd_kafka_conf_set")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories | DllImportSearchPath.AssemblyDirectory)]
    internal static extern int ConfSet(nint conf, byte[] name, byte[] value, byte[] error, nuint errorSize);

    [DllImport(Library, EntryPoint = "rd_kafka_new")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories | DllImportSearchPath.AssemblyDirectory)]
    internal static extern nint New(int type, nint conf, byte[] error, nuint errorSize);

    [DllImport(Library, EntryPoint = "rd_kafka_destroy")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories | DllImportSearchPath.AssemblyDirectory)]
    internal static extern void Destroy(nint client);

    [DllImport(Library, EntryPoint = "rd_kafka_mock_cluster_new")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories | DllImportSearchPath.AssemblyDirectory)]
    internal static extern nint MockClusterNew(nint client, int brokers);

    [DllImport(Library, EntryPoint = "rd_kafka_mock_cluster_destroy")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories | DllImportSearchPath.AssemblyDirectory)]
    internal static extern void MockClusterDestroy(nint cluster);

    [DllImport(Library, EntryPoint = "rd_kafka_mock_cluster_bootstraps")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories | DllImportSearchPath.AssemblyDirectory)]
    internal static extern nint MockClusterBootstraps(nint cluster);

    [DllImport(Library, EntryPoint = "rd_kafka_mock_topic_create")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories | DllImportSearchPath.AssemblyDirectory)]
    internal static extern int MockTopicCreate(nint cluster, byte[] topic, int partitions, int replicas);

    [DllImport(Library, EntryPoint = "rd_kafka_mock_broker_set_down")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories | DllImportSearchPath.AssemblyDirectory)]
    internal static extern int MockBrokerSetDown(nint cluster, int broker);

    [DllImport(Library, EntryPoint = "rd_kafka_mock_broker_set_up")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories | DllImportSearchPath.AssemblyDirectory)]
    internal static extern int MockBrokerSetUp(nint cluster, int broker);

    [DllImport(Library, EntryPoint = "rd_kafka_mock_broker_set_rtt")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories | DllImportSearchPath.AssemblyDirectory)]
    internal static extern int MockBrokerSetRtt(nint cluster, int broker, int milliseconds);

    [DllImport(Library, EntryPoint = "rd_kafka_mock_partition_set_leader")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories | DllImportSearchPath.AssemblyDirectory)]
    internal static extern int MockPartitionSetLeader(nint cluster, byte[] topic, int partition, int broker);

    [DllImport(Library, EntryPoint = "rd_kafka_mock_push_request_errors_array")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories | DllImportSearchPath.AssemblyDirectory)]
    internal static extern void MockPushRequestErrors(nint cluster, short apiKey, nuint count, int[] errors);

    [DllImport(Library, EntryPoint = "rd_kafka_mock_set_controller_id")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories | DllImportSearchPath.AssemblyDirectory)]
    internal static extern int MockSetController(nint cluster, int broker);

    [DllImport(Library, EntryPoint = "rd_kafka_mock_topic_delete")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories | DllImportSearchPath.AssemblyDirectory)]
    internal static extern int MockTopicDelete(nint cluster, byte[] topic);

    [DllImport(Library, EntryPoint = "rd_kafka_mock_topic_set_error")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories | DllImportSearchPath.AssemblyDirectory)]
    internal static extern void MockTopicSetError(nint cluster, byte[] topic, int error);

    [DllImport(Library, EntryPoint = "rd_kafka_mock_partition_delete_records")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories | DllImportSearchPath.AssemblyDirectory)]
    internal static extern int MockPartitionDeleteRecords(nint cluster, byte[] topic, int partition, long before);

    [DllImport(Library, EntryPoint = "rd_kafka_mock_set_group_consumer_heartbeat_interval_ms")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories | DllImportSearchPath.AssemblyDirectory)]
    internal static extern void MockSetGroupHeartbeat(nint cluster, int milliseconds);
}
