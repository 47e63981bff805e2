namespace Streaming.Serving.Graphs;

/// <summary>
/// Finds nearly the nearest of many vectors by looking at few of them. Built once: all vectors are added, then it is only read. Vectors and
/// queries have length 1, so that the inner product ranks as the cosine does.
/// </summary>
public abstract class VectorGraph : IDisposable
{
    /// <summary>Gets its size in memory, in bytes.</summary>
    public abstract long Bytes { get; }

    /// <summary>Adds a vector. At most as many threads at a time as <see cref="GraphShape.Threads"/> says.</summary>
    /// <param name="row">The vector's number, 0 … <see cref="GraphShape.Capacity"/> − 1; each once.</param>
    /// <param name="vector">The vector [<see cref="GraphShape.Width"/>].</param>
    public abstract void Add(int row, ReadOnlySpan<float> vector);

    /// <summary>Copies a vector, as precisely as it is kept. Not while vectors are added.</summary>
    /// <param name="row">The vector's number.</param>
    /// <param name="vector">Receives the vector [<see cref="GraphShape.Width"/>].</param>
    /// <returns>False when it was not added.</returns>
    public abstract bool TryRead(int row, Span<float> vector);

    /// <summary>Finds vectors with high inner products with a query. Any number of threads at a time; not while vectors are
    /// added.</summary>
    /// <param name="query">The query [<see cref="GraphShape.Width"/>].</param>
    /// <param name="rows">Receives the vectors' numbers, best first.</param>
    /// <returns>The number of vectors found.</returns>
    public abstract int Search(ReadOnlySpan<float> query, Span<int> rows);

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Releases the graph's memory.</summary>
    /// <param name="disposing">True: called by <see cref="Dispose()"/>.</param>
    protected abstract void Dispose(bool disposing);
}
