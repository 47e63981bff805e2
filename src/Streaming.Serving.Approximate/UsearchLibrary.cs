using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace Streaming.Serving.Approximate;

/// <summary>The native library of USearch, which its package has for Linux (glibc) and Windows on x64, and for Apple silicon.</summary>
public static class UsearchLibrary
{
    private static readonly Lazy<string?> Found = new(() => Load(Name));

    /// <summary>Returns why the library cannot be loaded on this machine, naming the platform, the cause and what helps; null: it
    /// can.</summary>
    public static string? Objection() => Found.Value;

    internal const string Name = "usearch_c";

    /// <summary>Tries to load a library.</summary>
    [SuppressMessage("Design", "CA1031", Justification = "Whatever the loader throws is the reason to tell.")]
    internal static string? Load(string name)
    {
        try
        {
            NativeLibrary.Load(name, typeof(UsearchLibrary).Assembly, DllImportSearchPath.AssemblyDirectory);
            return null;
        }
        catch (Exception exception)
        {
            string cause = exception.Message.ReplaceLineEndings(" ").Trim();
            return $"USearch's native library {name} does not load on {RuntimeInformation.RuntimeIdentifier} ({cause}). It exists for "
                + "linux-x64 with glibc 2.34 and up (it also needs libgomp1 and libstdc++6), win-x64 and osx-arm64; without it every "
                + "search is exact.";
        }
    }
}
