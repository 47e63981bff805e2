using Streaming.Serving.Graphs;

namespace Streaming.Serving.Search;

/// <summary>One build of a graph, on threads of its own.</summary>
internal sealed class GraphBuild(CancellationToken stop)
{
    private int _next;
    private int _added;

    /// <summary>Gets the number of vectors added so far.</summary>
    public int Added => Volatile.Read(ref _added);

    /// <summary>Adds a table's rows to a new graph.</summary>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public VectorGraph Run(VectorTable table, ApproximateOptions options)
    {
        int rows = table.Used;
        VectorGraph graph = options.Create(new GraphShape(table.Width, rows, options.Threads, options.Candidates));
        try
        {
            var adding = new Task[options.Threads];
            for (int i = 0; i < adding.Length; i++)
            {
                adding[i] = Task.Factory.StartNew(
                    () => Add(table, graph, rows),
                    CancellationToken.None,
                    TaskCreationOptions.LongRunning,
                    TaskScheduler.Default
                );
            }

            Task.WhenAll(adding).GetAwaiter().GetResult();
            stop.ThrowIfCancellationRequested();
            return graph;
        }
        catch
        {
            graph.Dispose();
            throw;
        }
    }

    private void Add(VectorTable table, VectorGraph graph, int rows)
    {
        float[] vector = new float[table.Width],
            unit = new float[table.Width];
        try
        {
            for (int row = Interlocked.Increment(ref _next) - 1; row < rows; row = Interlocked.Increment(ref _next) - 1)
            {
                stop.ThrowIfCancellationRequested();
                if (table.TryRead(row, vector, out _))
                {
                    ItemGraph.Normalize(vector, unit);
                    graph.Add(row, unit);
                    Interlocked.Increment(ref _added);
                }
            }
        }
        catch
        {
            Volatile.Write(ref _next, rows); // ends the other threads too
            throw;
        }
    }
}
