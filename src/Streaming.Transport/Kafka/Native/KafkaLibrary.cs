using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Confluent.Kafka;
using Microsoft.Extensions.Logging;

namespace Streaming.Transport.Kafka.Native;

/// <summary>The process's librdkafka, for Confluent's client and for direct imports alike: always the
/// package's, never the system's, which may be years older.</summary>
/// <remarks>For glibc on x64 the package has two builds: <c>librdkafka</c> supports Kerberos and needs libsasl2.so.3, which Debian
/// and Ubuntu lack; <c>centos8-librdkafka</c> needs only glibc 2.28. The runtime's default search would fall back to the system's
/// librdkafka.</remarks>
public static class KafkaLibrary
{
    private const string Name = "librdkafka";
    private const string Package = "librdkafka.redist";
    private static readonly Lazy<KafkaLibraryFile> Loaded = new(static () => Open(Builds(), Folders()));

    /// <summary>Loads the library, once.</summary>
    /// <returns>The loaded library.</returns>
    /// <exception cref="KafkaLibraryException">No build is usable; the message names each file and why.</exception>
    public static KafkaLibraryFile Load() => Loaded.Value;

    /// <summary>Loads the library and logs which it is.</summary>
    /// <exception cref="KafkaLibraryException">No build is usable.</exception>
    public static void Load(ILogger logger)
    {
        KafkaLibraryFile file = Load();
        if (file.PassedOver.Length == 0)
        {
            KafkaLibraryLog.Loaded(logger, file.Version, file.Path);
        }
        else
        {
            KafkaLibraryLog.LoadedWithoutKerberos(logger, file.Version, file.Path, file.PassedOver);
        }
    }

    /// <summary>Resolves another assembly's imports of librdkafka to the same file.</summary>
    /// <param name="assembly">The assembly that declares the imports. Call once, before the first import.</param>
    public static void ResolveFor(Assembly assembly) => NativeLibrary.SetDllImportResolver(assembly, Resolve);

    /// <summary>Must run before any call: the first one decides which file the runtime loads.</summary>
    [ModuleInitializer]
    [SuppressMessage("Usage", "CA2255", Justification = "Any of several entry points may be first to need it.")]
    internal static void Register()
    {
        NativeLibrary.SetDllImportResolver(typeof(Library).Assembly, Resolve);
        NativeLibrary.SetDllImportResolver(typeof(KafkaLibrary).Assembly, Resolve);
    }

    /// <summary>Loads the first usable build.</summary>
    /// <param name="builds">File names, in order of preference.</param>
    /// <param name="folders">Folders to search.</param>
    /// <exception cref="KafkaLibraryException">None is usable.</exception>
    internal static KafkaLibraryFile Open(IReadOnlyList<string> builds, IReadOnlyList<string> folders)
    {
        var refused = new List<string>();
        foreach (string build in builds)
        {
            string path =
                folders.Select(folder => Path.Combine(folder, build)).FirstOrDefault(File.Exists) ?? Path.Combine(folders[0], build);
            try
            {
                return KafkaLibraryFile.Open(path, Needed) with { PassedOver = string.Join("; ", refused) };
            }
            catch (DllNotFoundException exception)
            {
                refused.Add($"{path}: {exception.Message}");
            }
        }

        throw new KafkaLibraryException(
            $"librdkafka, the native library of the Kafka client, cannot be loaded: {string.Join("; ", refused)}. "
                + $"It comes with the NuGet package {Package}: restore and build or publish this program again (the system's librdkafka "
                + "is not used)."
        );
    }

    /// <summary>The client calls functions of the library version it was released with.</summary>
    private static Version Needed => typeof(Library).Assembly.GetName().Version!;

    // Confluent's assembly also imports the builds by their own names.
    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path) =>
        name.EndsWith(Name, StringComparison.Ordinal) ? Loaded.Value.Handle : 0;

    private static string[] Builds()
    {
        if (!OperatingSystem.IsLinux())
        {
            return [Name + (OperatingSystem.IsWindows() ? ".dll" : ".dylib")];
        }

        if (
            RuntimeInformation.RuntimeIdentifier.Contains("musl", StringComparison.Ordinal)
            || RuntimeInformation.RuntimeIdentifier.StartsWith("alpine", StringComparison.Ordinal)
        )
        {
            return [$"alpine-{Name}.so"];
        }

        return RuntimeInformation.ProcessArchitecture == Architecture.X64 ? [$"{Name}.so", $"centos8-{Name}.so"] : [$"{Name}.so"];
    }

    /// <summary>The native search directories given by the host, and the application's own folder.</summary>
    private static string[] Folders()
    {
        string[] known = (AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") as string ?? string.Empty).Split(
            Path.PathSeparator,
            StringSplitOptions.RemoveEmptyEntries
        );
        return
        [
            .. known.Where(static folder => folder != RuntimeEnvironment.GetRuntimeDirectory()).Append(AppContext.BaseDirectory).Distinct(),
        ];
    }
}
