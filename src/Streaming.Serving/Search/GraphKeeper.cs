using System.Diagnostics;
using Streaming.Serving.Graphs;

namespace Streaming.Serving.Search;

/// <summary>Builds graphs of an index's tables in the background, one at a time, when they are due.</summary>
internal sealed class GraphKeeper(ApproximateOptions options, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan RetryPause = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private CancellationTokenSource _stop = new();
    private Task _building = Task.CompletedTask;
    private TableGraph? _graph;
    private GraphBuild? _build;
    private GraphStatus _past = new();
    private long? _failedAt;

    /// <summary>Gets the status.</summary>
    public GraphStatus Status
    {
        get
        {
            lock (_gate)
            {
                ItemGraph? current = _graph?.Current;
                return _past with
                {
                    Vectors = current?.Vectors ?? 0,
                    Changed = current?.Changed ?? 0,
                    Removed = current?.Removed ?? 0,
                    Bytes = current?.Bytes ?? 0,
                    IsBuilding = _build is not null,
                    Added = _build?.Added ?? 0,
                    Searches = _past.Searches + (_graph?.Answered ?? 0),
                    Fallbacks = _past.Fallbacks + (_graph?.Exact ?? 0),
                };
            }
        }
    }

    /// <summary>Gives a table, before its first use, what will have its graph. That of the table before is released.</summary>
    public void Attach(VectorTable table)
    {
        lock (_gate)
        {
            Release();
            table.Graph = _graph = new TableGraph(table, options);
            _failedAt = null;
        }
    }

    /// <summary>Starts a build if one is due.</summary>
    public void Advance()
    {
        lock (_gate)
        {
            bool isPaused = _failedAt is { } failed && time.GetElapsedTime(failed) < RetryPause;
            if (_graph is { IsDue: true } graph && _building.IsCompleted && !isPaused)
            {
                _stop.Dispose();
                _stop = new CancellationTokenSource();
                GraphBuild build = _build = new GraphBuild(_stop.Token);
                _building = Task.Run(() => Run(graph, build));
            }
        }
    }

    /// <summary>Stops a build, waits until it has ended, and releases the graph.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            Release();
            _graph = null;
        }

        _building.Wait();
        _stop.Dispose();
    }

    private void Release()
    {
        _stop.Cancel();
        _past = _past with { Searches = _past.Searches + (_graph?.Answered ?? 0), Fallbacks = _past.Fallbacks + (_graph?.Exact ?? 0) };
        _graph?.Dispose();
    }

    private void Run(TableGraph graph, GraphBuild build)
    {
        long begun = Stopwatch.GetTimestamp();
        Exception? error = null;
        try
        {
            graph.Build(build);
        }
        catch (Exception exception)
        {
            error = exception;
        }

        lock (_gate)
        {
            _build = null;
            if (error is not OperationCanceledException)
            {
                Finish(Stopwatch.GetElapsedTime(begun), error);
            }
        }
    }

    private void Finish(TimeSpan took, Exception? error)
    {
        _failedAt = error is null ? null : time.GetTimestamp();
        _past = _past with
        {
            Builds = _past.Builds + (error is null ? 1 : 0),
            FailedBuilds = _past.FailedBuilds + (error is null ? 0 : 1),
            LastBuild = error is null ? took : _past.LastBuild,
            BuildTime = _past.BuildTime + took,
            Error = error?.Message,
        };
    }
}
