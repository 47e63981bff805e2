using System.Runtime.InteropServices;

namespace Streaming.Ranks.Native;

/// <summary>The functions of Open MPI 4.1 that are used. Its handles are addresses of exported objects; MPICH's are numbers, so that
/// this does not work with MPICH.</summary>
internal static unsafe partial class OpenMpi
{
    /// <summary>MPI_IN_PLACE.</summary>
    public const nint InPlace = 1;

    /// <summary>MPI_THREAD_SERIALIZED: any thread may call, one at a time.</summary>
    public const int Serialized = 2;

    // Part of the ABI of Open MPI 1.10 … 4.1; 5.0 kept it.
    private const string Library = "libmpi.so.40";
    private const int Now = 2;
    private const int Global = 0x100;

    /// <summary>Loads the library.</summary>
    /// <param name="library">File name, as the dynamic linker finds it.</param>
    /// <returns>The library, for <see cref="Handle"/>.</returns>
    /// <exception cref="DllNotFoundException">It cannot be loaded; the message says why.</exception>
    public static nint Load(string library = Library)
    {
        // Open MPI's plug-ins look for its symbols among the global ones, where .NET's own loader does not put them. That loader goes
        // first because it says what is wrong.
        nint loaded = NativeLibrary.Load(library);
        return Open(library, Now | Global) != 0 ? loaded : throw new DllNotFoundException($"{library} cannot be loaded.");
    }

    /// <summary>Address of an exported object.</summary>
    public static nint Handle(nint library, string name) => NativeLibrary.GetExport(library, name);

    /// <summary>Text of an error code.</summary>
    public static string Text(int error)
    {
        const int longest = 512;
        byte* text = stackalloc byte[longest];
        return ErrorString(error, text, out int length) == 0 ? Marshal.PtrToStringUTF8((nint)text, length) : $"error {error}";
    }

    [LibraryImport(Library, EntryPoint = "MPI_Init_thread")]
    public static partial int Init(nint argumentCount, nint arguments, int required, out int provided);

    [LibraryImport(Library, EntryPoint = "MPI_Finalize")]
    public static partial int Finish();

    [LibraryImport(Library, EntryPoint = "MPI_Abort")]
    public static partial int Abort(nint world, int exitCode);

    [LibraryImport(Library, EntryPoint = "MPI_Comm_rank")]
    public static partial int Rank(nint world, out int rank);

    [LibraryImport(Library, EntryPoint = "MPI_Comm_size")]
    public static partial int Size(nint world, out int size);

    [LibraryImport(Library, EntryPoint = "MPI_Comm_set_errhandler")]
    public static partial int SetErrorHandler(nint world, nint handler);

    [LibraryImport(Library, EntryPoint = "MPI_Barrier")]
    public static partial int Barrier(nint world);

    [LibraryImport(Library, EntryPoint = "MPI_Bcast")]
    public static partial int Broadcast(byte* values, int count, nint type, int root, nint world);

    [LibraryImport(Library, EntryPoint = "MPI_Allgatherv")]
    public static partial int AllGather(byte* own, int count, nint type, byte* all, int* counts, int* offsets, nint allType, nint world);

    [LibraryImport(Library, EntryPoint = "MPI_Alltoallv")]
    public static partial int AllToAll(
        byte* send,
        int* sendCounts,
        int* sendOffsets,
        nint sendType,
        byte* receive,
        int* receiveCounts,
        int* receiveOffsets,
        nint receiveType,
        nint world
    );

    [LibraryImport(Library, EntryPoint = "MPI_Error_string")]
    private static partial int ErrorString(int error, byte* text, out int length);

    [LibraryImport("libc.so.6", EntryPoint = "dlopen", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint Open(string name, int flags);
}
