using System.Runtime.InteropServices;
using Cloud.Unum.USearch;

[assembly: DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory | DllImportSearchPath.SafeDirectories)]

namespace Streaming.Serving.Approximate;

/// <summary>
/// USearch's C interface. The package's own class has neither reserved capacity for several adding threads nor a limit of searching
/// threads, and copies every query and result into new arrays.
/// </summary>
internal static class UsearchImports
{
    [DllImport(UsearchLibrary.Name, EntryPoint = "usearch_init")]
    public static extern nint Create(in IndexOptions options, out nint error);

    [DllImport(UsearchLibrary.Name, EntryPoint = "usearch_free")]
    public static extern void Free(nint index, out nint error);

    [DllImport(UsearchLibrary.Name, EntryPoint = "usearch_reserve")]
    public static extern void Reserve(UsearchHandle index, nuint capacity, out nint error);

    [DllImport(UsearchLibrary.Name, EntryPoint = "usearch_change_threads_search")]
    public static extern void SetThreads(UsearchHandle index, nuint threads, out nint error);

    [DllImport(UsearchLibrary.Name, EntryPoint = "usearch_memory_usage")]
    public static extern nuint MemoryOf(UsearchHandle index, out nint error);

    [DllImport(UsearchLibrary.Name, EntryPoint = "usearch_add")]
    public static extern void Add(UsearchHandle index, ulong key, in float vector, ScalarKind kind, out nint error);

    [DllImport(UsearchLibrary.Name, EntryPoint = "usearch_get")]
    public static extern nuint Read(UsearchHandle index, ulong key, nuint count, ref float vector, ScalarKind kind, out nint error);

    [DllImport(UsearchLibrary.Name, EntryPoint = "usearch_search")]
    public static extern nuint Search(
        UsearchHandle index,
        in float query,
        ScalarKind kind,
        nuint count,
        ref ulong keys,
        ref float distances,
        out nint error
    );
}
