using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Confluent.Kafka;

namespace Streaming.Transport;

/// <summary>Chooses the one librdkafka of this process, for Confluent's client and for <see cref="LibRdKafka"/> alike: the
/// package's, never the system's, which may be years older.</summary>
/// <remarks>For glibc the package has two builds. <c>librdkafka</c> has Kerberos and needs libsasl2.so.3, which Debian and
/// Ubuntu do not have; <c>centos8-librdkafka</c> needs nothing. The runtime alone would fall back to a system's librdkafka.</remarks>
internal static class KafkaLibrary
{
    private const string Name = "librdkafka";
    private static readonly Lazy<nint> Handle = new(Load);

    /// <summary>Before any call: the first one decides which file the runtime takes.</summary>
    [ModuleInitializer]
    [SuppressMessage("Usage", "CA2255", Justification = "Whoever comes first, of many entries, needs it.")]
    internal static void Register()
    {
        NativeLibrary.SetDllImportResolver(typeof(Library).Assembly, Resolve);
        NativeLibrary.SetDllImportResolver(typeof(KafkaLibrary).Assembly, Resolve);
    }

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path) => name == Name ? Handle.Value : 0;

    private static nint Load()
    {
        string[] candidates = !OperatingSystem.IsLinux() ? [Name]
            : RuntimeInformation.RuntimeIdentifier.Contains("musl", StringComparison.Ordinal) || RuntimeInformation.RuntimeIdentifier.StartsWith("alpine", StringComparison.Ordinal)
                ? ["alpine-" + Name]
                : [Name, "centos8-" + Name];
        foreach (string candidate in candidates)
        {
            // This search path alone: the application's folders, not the system's.
            if (NativeLibrary.TryLoad(candidate, typeof(KafkaLibrary).Assembly, DllImportSearchPath.AssemblyDirectory, out nint handle))
            {
                return handle;
            }
        }

        throw new DllNotFoundException($"None of librdkafka's builds in the package could be loaded: {string.Join(", ", candidates)}.");
    }
}
