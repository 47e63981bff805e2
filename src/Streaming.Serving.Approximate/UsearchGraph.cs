using System.Buffers;
using System.Runtime.InteropServices;
using Cloud.Unum.USearch;
using Streaming.Serving.Graphs;

namespace Streaming.Serving.Approximate;

/// <summary>A graph of float16 vectors by USearch (https://github.com/unum-cloud/USearch): 32 neighbours a vector on the lowest level, 16
/// on the others, chosen among 128.</summary>
/// <example>
/// <code>
/// services.AddStreamingServing(options => options.Approximate = new() { Create = UsearchGraph.Create });
/// </code>
/// </example>
public sealed class UsearchGraph : VectorGraph
{
    private const int Connectivity = 16;
    private const int Expansion = 128;

    /// <summary>USearch refuses a search when as many are running as it has room for; one more waits here.</summary>
    private readonly SemaphoreSlim _searches;
    private readonly UsearchHandle _index;
    private readonly int _width;

    private UsearchGraph(UsearchHandle index, int width, int searches)
    {
        (_index, _width) = (index, width);
        _searches = new SemaphoreSlim(searches);
    }

    /// <inheritdoc/>
    public override long Bytes
    {
        get
        {
            nuint bytes = UsearchImports.MemoryOf(_index, out nint error);
            Check(error);
            return (long)bytes;
        }
    }

    /// <summary>Estimates the memory of a graph, in bytes: vectors, neighbours and keys. It takes at least so much: USearch reserves memory
    /// in growing pieces (measured: an eighth more at a million vectors of 128 numbers).</summary>
    /// <param name="vectors">Number of vectors.</param>
    /// <param name="width">Numbers of each.</param>
    public static long BytesOf(long vectors, int width) => vectors * ((2 * width) + (8 * Connectivity) + 80);

    /// <summary>Makes an empty graph.</summary>
    /// <exception cref="UsearchException">The native library does not load on this platform, or there is not enough memory.</exception>
    public static VectorGraph Create(GraphShape shape)
    {
        if (UsearchLibrary.Objection() is { } objection)
        {
            throw new UsearchException(objection);
        }

        var options = new IndexOptions(
            MetricKind.Ip,
            default,
            ScalarKind.Float16,
            (ulong)shape.Width,
            Connectivity,
            Expansion,
            (ulong)shape.Candidates,
            multi: false
        );
        int searches = 4 * Environment.ProcessorCount;
        UsearchHandle index = new(UsearchImports.Create(in options, out nint error));
        try
        {
            Check(error);
            UsearchImports.Reserve(index, (nuint)Math.Max(shape.Capacity, 1), out error);
            Check(error);
            UsearchImports.SetThreads(index, (nuint)Math.Max(searches, shape.Threads), out error);
            Check(error);
            return new UsearchGraph(index, shape.Width, searches);
        }
        catch
        {
            index.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    /// <exception cref="UsearchException">There is not enough memory.</exception>
    public override void Add(int row, ReadOnlySpan<float> vector)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(vector.Length, _width);
        UsearchImports.Add(_index, (ulong)row, in MemoryMarshal.GetReference(vector), ScalarKind.Float32, out nint error);
        Check(error);
    }

    /// <inheritdoc/>
    public override bool TryRead(int row, Span<float> vector)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(vector.Length, _width);
        nuint found = UsearchImports.Read(
            _index,
            (ulong)row,
            1,
            ref MemoryMarshal.GetReference(vector),
            ScalarKind.Float32,
            out nint error
        );
        Check(error);
        return found > 0;
    }

    /// <inheritdoc/>
    public override int Search(ReadOnlySpan<float> query, Span<int> rows)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(query.Length, _width);
        ulong[] keys = ArrayPool<ulong>.Shared.Rent(rows.Length);
        float[] distances = ArrayPool<float>.Shared.Rent(rows.Length);
        _searches.Wait();
        try
        {
            nuint found = UsearchImports.Search(
                _index,
                in MemoryMarshal.GetReference(query),
                ScalarKind.Float32,
                (nuint)rows.Length,
                ref keys[0],
                ref distances[0],
                out nint error
            );
            Check(error);
            for (int i = 0; i < (int)found; i++)
            {
                rows[i] = (int)keys[i];
            }

            return (int)found;
        }
        finally
        {
            _searches.Release();
            ArrayPool<ulong>.Shared.Return(keys);
            ArrayPool<float>.Shared.Return(distances);
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _index.Dispose();
            _searches.Dispose();
        }
    }

    private static void Check(nint error)
    {
        if (error != 0)
        {
            throw new UsearchException($"USearch: {Marshal.PtrToStringUTF8(error)}");
        }
    }
}
