using System.Diagnostics;
using System.Runtime.InteropServices;
using Cloud.Unum.USearch;
using Streaming.Serving.Approximate;

namespace Streaming.Benchmarks;

/// <summary>USearch by itself, as its own C interface is used: cosines of vectors in one array, keys as results.</summary>
internal sealed class UsearchPeer : IDisposable
{
    private readonly UsearchHandle _index;
    private readonly int _width;

    public UsearchPeer(int width, int capacity, int threads)
    {
        _width = width;
        var options = new IndexOptions(MetricKind.Cos, default, ScalarKind.Float16, (ulong)width, 16, 128, 128, multi: false);
        _index = new UsearchHandle(UsearchImports.Create(in options, out nint error));
        Check(error);
        UsearchImports.Reserve(_index, (nuint)capacity, out error);
        Check(error);
        UsearchImports.SetThreads(_index, (nuint)threads, out error);
        Check(error);
    }

    /// <summary>Adds all vectors.</summary>
    /// <returns>Seconds.</returns>
    public double Build(float[] vectors, int threads)
    {
        int next = -1;
        int rows = vectors.Length / _width;
        long begun = Stopwatch.GetTimestamp();
        Thread[] adding =
        [
            .. Enumerable
                .Range(0, threads)
                .Select(_ => new Thread(() =>
                {
                    for (int row = Interlocked.Increment(ref next); row < rows; row = Interlocked.Increment(ref next))
                    {
                        UsearchImports.Add(_index, (ulong)row, in vectors[row * _width], ScalarKind.Float32, out nint error);
                        Check(error);
                    }
                })),
        ];
        Array.ForEach(adding, static thread => thread.Start());
        Array.ForEach(adding, static thread => thread.Join());
        return Stopwatch.GetElapsedTime(begun).TotalSeconds;
    }

    public int Search(ReadOnlySpan<float> query, Span<ulong> keys, Span<float> distances)
    {
        nuint found = UsearchImports.Search(
            _index,
            in MemoryMarshal.GetReference(query),
            ScalarKind.Float32,
            (nuint)keys.Length,
            ref MemoryMarshal.GetReference(keys),
            ref MemoryMarshal.GetReference(distances),
            out nint error
        );
        Check(error);
        return (int)found;
    }

    public void Dispose() => _index.Dispose();

    private static void Check(nint error)
    {
        if (error != 0)
        {
            throw new InvalidOperationException(Marshal.PtrToStringUTF8(error));
        }
    }
}
