using System.Runtime.InteropServices;

namespace Streaming.Transport.Kafka.Native;

/// <summary>A loaded librdkafka.</summary>
/// <param name="Path">The full path of the file.</param>
/// <param name="Version">The version reported by the library.</param>
public sealed record KafkaLibraryFile(string Path, Version Version)
{
    /// <summary>Gets the preferred builds that were unusable, and why; empty if there are none.</summary>
    public string PassedOver { get; init; } = string.Empty;

    /// <summary>Gets the loader's handle.</summary>
    internal nint Handle { get; private init; }

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    private delegate int VersionFunction();

    /// <summary>Loads one file.</summary>
    /// <param name="path">The full path, so that system folders are not searched.</param>
    /// <param name="needed">The minimum version (major and minor).</param>
    /// <exception cref="DllNotFoundException">The file is unusable; the message says why and does not repeat the path.</exception>
    internal static KafkaLibraryFile Open(string path, Version needed)
    {
        if (!File.Exists(path))
        {
            throw new DllNotFoundException("no such file");
        }

        if (ElfFile.Objection(path) is { } objection)
        {
            throw new DllNotFoundException(objection);
        }

        nint handle = Load(path);
        try
        {
            Version version = VersionOf(handle);
            return version >= new Version(needed.Major, needed.Minor)
                ? new KafkaLibraryFile(path, version) { Handle = handle }
                : throw new DllNotFoundException($"version {version} is too old; allowed: {needed.ToString(2)} and later");
        }
        catch (DllNotFoundException)
        {
            NativeLibrary.Free(handle);
            throw;
        }
    }

    private static nint Load(string path)
    {
        try
        {
            return NativeLibrary.Load(path);
        }
        catch (Exception exception) when (exception is DllNotFoundException or BadImageFormatException)
        {
            throw new DllNotFoundException(Reason(exception.Message, path), exception);
        }
    }

    /// <summary>Extracts the loader's own message, the second line; the first is the runtime's general advice.</summary>
    private static string Reason(string message, string path)
    {
        string[] lines = message.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        string reason = lines.ElementAtOrDefault(1) ?? lines[0];
        return reason.StartsWith(path + ": ", StringComparison.Ordinal) ? reason[(path.Length + 2)..] : reason;
    }

    private static Version VersionOf(nint handle)
    {
        if (!NativeLibrary.TryGetExport(handle, "rd_kafka_version", out nint function))
        {
            throw new DllNotFoundException("not librdkafka: it has no function rd_kafka_version");
        }

        // 0xMMmmrrpp: major, minor, revision, pre-release.
        int version = Marshal.GetDelegateForFunctionPointer<VersionFunction>(function)();
        return new Version(version >> 24, (version >> 16) & 0xFF, (version >> 8) & 0xFF);
    }
}
