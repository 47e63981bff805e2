using System.Collections.Concurrent;
using Streaming.Serving.Graphs;

namespace Streaming.Serving.Tests.Graphs;

/// <summary>A graph by a plain loop, which tells of uses that the real one would not survive.</summary>
internal sealed class FakeGraph(GraphShape shape) : VectorGraph
{
    private readonly ConcurrentDictionary<int, float[]> _vectors = new();
    private volatile bool _isDisposed;
    private int _running;

    /// <summary>Gets or sets what happens before a vector is added.</summary>
    public Action<int> BeforeAdd { get; init; } = static _ => { };

    /// <summary>Gets the number of uses after the end, and of ends during a use.</summary>
    public int Misuses;

    public bool IsDisposed => _isDisposed;

    public override long Bytes => _vectors.Count;

    public override void Add(int row, ReadOnlySpan<float> vector)
    {
        BeforeAdd(row);
        if (row >= shape.Capacity || !_vectors.TryAdd(row, vector.ToArray()))
        {
            throw new InvalidOperationException($"row {row} of {shape.Capacity} is added again");
        }
    }

    public override bool TryRead(int row, Span<float> vector) =>
        _vectors.TryGetValue(row, out float[]? kept) && kept.AsSpan().TryCopyTo(vector);

    public override int Search(ReadOnlySpan<float> query, Span<int> rows)
    {
        Interlocked.Increment(ref _running);
        float[] of = query.ToArray();
        int[] found =
        [
            .. _vectors
                .OrderByDescending(row => System.Numerics.Tensors.TensorPrimitives.Dot(row.Value, of))
                .Take(rows.Length)
                .Select(static row => row.Key),
        ];
        found.CopyTo(rows);
        if (_isDisposed)
        {
            Interlocked.Increment(ref Misuses);
        }

        Interlocked.Decrement(ref _running);
        return found.Length;
    }

    protected override void Dispose(bool disposing)
    {
        if (_isDisposed || Volatile.Read(ref _running) > 0)
        {
            Interlocked.Increment(ref Misuses);
        }

        _isDisposed = true;
    }
}
