using Streaming.Serving.Filters;
using Streaming.Serving.Graphs;

namespace Streaming.Serving.Search;

/// <summary>The graph of a table, when there is one, and what changes while another is built.</summary>
internal sealed class TableGraph(VectorTable table, ApproximateOptions options) : IDisposable
{
    private readonly Lock _gate = new();
    private volatile ItemGraph? _graph;
    private HashSet<int>? _written;
    private bool _isDisposed;
    private long _answered;
    private long _exact;

    /// <summary>Gets the graph, or null.</summary>
    public ItemGraph? Current => _graph;

    /// <summary>Gets the number of searches that a graph answered.</summary>
    public long Answered => Volatile.Read(ref _answered);

    /// <summary>Gets the number of searches that came to a graph and had to be exact.</summary>
    public long Exact => Volatile.Read(ref _exact);

    /// <summary>Gets a value indicating whether a graph has to be built: there is none, or more has changed than is allowed.</summary>
    public bool IsDue =>
        table.Count >= options.MinItems && (_graph is not { } graph || graph.Changed + graph.Removed > options.MaxChanged * graph.Vectors);

    /// <summary>Takes note of a row's new vector. Writer only.</summary>
    public void Changed(int row, string id, ReadOnlySpan<float> vector)
    {
        lock (_gate)
        {
            _written?.Add(row);
            _graph?.Note(row, id, vector);
        }
    }

    /// <summary>Takes note of an item that was removed. Writer only.</summary>
    public void Removed(string id)
    {
        lock (_gate)
        {
            _graph?.Forget(id);
        }
    }

    /// <summary>Builds a graph of the table's rows and uses it from then on; rows may change meanwhile.</summary>
    /// <exception cref="OperationCanceledException">The build was stopped.</exception>
    public void Build(GraphBuild build)
    {
        lock (_gate)
        {
            _written = [];
        }

        VectorGraph? graph = null;
        try
        {
            graph = build.Run(table, options);
            Use(new ItemGraph(table, graph, build.Added, options));
        }
        catch
        {
            graph?.Dispose();
            throw;
        }
        finally
        {
            lock (_gate)
            {
                _written = null;
            }
        }
    }

    /// <summary>Searches the graph.</summary>
    /// <returns>The number of items found, as many as asked for; −1: the search has to be exact.</returns>
    public int Search(ReadOnlySpan<float> query, RowFilter? filter, Span<Neighbour> best)
    {
        if (_graph is not { } graph || !graph.TryHold())
        {
            return -1;
        }

        try
        {
            int found = graph.Search(query, filter, best);
            Interlocked.Increment(ref found < 0 ? ref _exact : ref _answered);
            return found;
        }
        finally
        {
            graph.Release();
        }
    }

    /// <summary>Releases the graph; searches are exact from then on.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _isDisposed = true;
            _graph?.Dispose();
            _graph = null;
        }
    }

    /// <summary>Replaces the graph by one that has learned what changed while it was built.</summary>
    private void Use(ItemGraph graph)
    {
        float[] vector = new float[table.Width];
        lock (_gate)
        {
            if (_isDisposed)
            {
                throw new OperationCanceledException();
            }

            foreach (int row in _written!)
            {
                if (table.TryRead(row, vector, out string id))
                {
                    graph.Note(row, id, vector);
                }
            }

            ItemGraph? before = _graph;
            _graph = graph;
            before?.Dispose();
        }
    }
}
