using System.Runtime.InteropServices;

namespace Streaming.Transport.Kafka.Native;

/// <summary>A librdkafka in this process.</summary>
/// <param name="Path">The full path of its file.</param>
/// <param name="Version">The version that the library itself states.</param>
public sealed record KafkaLibraryFile(string Path, Version Version)
{
    /// <summary>Gets the builds that were preferred and could not be used, and why; empty when there are none.</summary>
    public string PassedOver { get; init; } = string.Empty;

    /// <summary>Gets the loader's handle.</summary>
    internal nint Handle { get; private init; }

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    private delegate int VersionFunction();

    /// <summary>Loads one file.</summary>
    /// <param name="path">Its full path, so that the system's folders are not searched.</param>
    /// <param name="needed">The oldest version that is allowed, to its minor number.</param>
    /// <exception cref="DllNotFoundException">It cannot be used; the message says why and does not repeat the path.</exception>
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
            return version >= new Version(needed.Major, needed.Minor) ? new KafkaLibraryFile(path, version) { Handle = handle }
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

    /// <summary>What the loader itself said: the second line. The first is the runtime's general advice.</summary>
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
