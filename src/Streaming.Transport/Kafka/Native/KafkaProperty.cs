using System.Runtime.InteropServices;
using System.Text;

namespace Streaming.Transport.Kafka.Native;

/// <summary>Asks librdkafka whether it has a property, and takes a value for it, without making a client.</summary>
internal static class KafkaProperty
{
    private const string Library = "librdkafka";
    private const int Accepted = 0,
        UnknownName = -2;

    /// <summary>
    /// What is allowed in place of a property or its value; null: librdkafka takes it. Values are not repeated: some are secrets.
    /// </summary>
    /// <exception cref="KafkaLibraryException">The library cannot be loaded.</exception>
    public static string? ErrorOf(string name, string value)
    {
        KafkaLibraryFile library = KafkaLibrary.Load();
        nint configuration = ConfNew();
        try
        {
            return ConfSet(configuration, Text(name), Text(value), null, 0) switch
            {
                Accepted => null,
                UnknownName => $"a property of librdkafka {library.Version}, such as fetch.min.bytes",
                _ => "a value that librdkafka takes for it",
            };
        }
        finally
        {
            ConfDestroy(configuration);
        }
    }

    private static byte[] Text(string text) => Encoding.UTF8.GetBytes(text + '\0');

    [DllImport(Library, EntryPoint = "rd_kafka_conf_new")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories | DllImportSearchPath.AssemblyDirectory)]
    private static extern nint ConfNew();

    [DllImport(Library, EntryPoint = "rd_kafka_conf_set")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories | DllImportSearchPath.AssemblyDirectory)]
    private static extern int ConfSet(nint configuration, byte[] name, byte[] value, byte[]? error, nuint errorSize);

    [DllImport(Library, EntryPoint = "rd_kafka_conf_destroy")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories | DllImportSearchPath.AssemblyDirectory)]
    private static extern void ConfDestroy(nint configuration);
}
