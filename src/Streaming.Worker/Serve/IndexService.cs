using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Streaming.Core.Embeddings;
using Streaming.Serving.Graphs;
using Streaming.Serving.Search;
using Streaming.Worker.Health;
using Streaming.Worker.Http;

namespace Streaming.Worker.Serve;

/// <summary>Keeps the index of the lookups up to date while the server runs, and reports its state to log and health.</summary>
public sealed class IndexService(Lookups lookups, ServeOptions options, HealthReport health, TimeProvider time, ILoggerFactory loggers)
    : BackgroundService
{
    private static readonly TimeSpan Glance = TimeSpan.FromSeconds(1);

    private readonly ILogger _logger = loggers.CreateLogger(nameof(IndexService));
    private readonly long[] _refused = new long[Enum.GetValues<EmbeddingFault>().Length];
    private IndexStatus? _last;
    private int _logged;
    private long _found;
    private bool _allRefused;
    private bool _isTooOld;
    private string _unusedAttributes = string.Empty;

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        Report();
        Task updating = lookups.Updater.RunAsync(stoppingToken);
        while (!updating.IsCompleted)
        {
            await Task.WhenAny(updating, Task.Delay(Glance, time, stoppingToken)).ConfigureAwait(false);
            Report();
        }

        await updating.ConfigureAwait(false);
    }

    /// <summary>Reports the current state to health and log.</summary>
    private void Report()
    {
        (IndexStatus status, string? reason) = lookups.Look();
        health.Set("index", Level(status, reason), reason ?? Text(status));
        Log(status, reason);
        ReportGraph(status.Graph);
        LogUnusedAttributes(status);
        ReportRefused();
        _last = status;
    }

    private static HealthLevel Level(IndexStatus status, string? reason) =>
        reason is not null ? HealthLevel.NotReady
        : status.Phase == IndexPhase.Stale || status.Items == 0 ? HealthLevel.Degraded
        : HealthLevel.Healthy;

    private static bool IsEmpty(IndexStatus status) => status is { Phase: IndexPhase.Fresh, Items: 0 };

    private static string Text(IndexStatus status) =>
        status.Phase == IndexPhase.Stale ? $"last refreshed {status.Age.TotalSeconds:F0} s ago: {status.Error}"
        : status.Items == 0 ? $"generation {status.Generation} has no items"
        : status.Load is { } load ? $"loading generation {load.Generation}: {load.Loaded} of {load.Expected} items"
        : string.Empty;

    private void Log(IndexStatus status, string? reason)
    {
        if (status.Load is { Loaded: > 0 } load && load.Loaded != _logged)
        {
            HttpLog.IndexLoading(
                _logger,
                load.Generation,
                _logged = load.Loaded,
                load.Expected > 0 ? $"{load.Expected}" : "an unknown number"
            );
        }

        if (status.Error is { } error && _last?.Error is null)
        {
            HttpLog.IndexFailing(_logger, error, options.RefreshInterval);
        }
        else if (status.Error is null && _last is { Error: not null, CanAnswer: true })
        {
            HttpLog.IndexRecovered(_logger, _last.Age);
        }

        bool isTooOld = status.Phase == IndexPhase.Stale && reason is not null;
        if (isTooOld && !_isTooOld)
        {
            HttpLog.NothingToServe(_logger, reason!);
        }

        _isTooOld = isTooOld;
        bool isFilled = status.Items > 0 && _last?.Items == 0;
        if (status.CanAnswer && status.Items > 0 && (status.Generation != _last?.Generation || isFilled))
        {
            HttpLog.IndexReady(_logger, status.Items, status.Generation, lookups.IndexBytes);
        }
        else if (status.Phase == IndexPhase.Unpublished && _last?.Phase != IndexPhase.Unpublished)
        {
            HttpLog.NothingToServe(_logger, reason!);
        }
        else if (IsEmpty(status) && (_last is null || !IsEmpty(_last)))
        {
            HttpLog.NothingToServe(_logger, Text(status));
        }
    }

    /// <summary>Reports the approximate search, where it is on. While there is no graph, searches are exact, and slower.</summary>
    private void ReportGraph(GraphStatus? graph)
    {
        if (graph is null)
        {
            return;
        }

        health.Set(
            "graph",
            graph.Error is null ? HealthLevel.Healthy : HealthLevel.Degraded,
            graph.Error is { } error ? $"the last build failed: {error}" : Text(graph)
        );
        GraphStatus? last = _last?.Graph;
        if (graph.Builds > (last?.Builds ?? 0))
        {
            HttpLog.GraphBuilt(_logger, graph.Vectors, graph.LastBuild, graph.Bytes);
        }

        if (graph.FailedBuilds > (last?.FailedBuilds ?? 0) && graph.Error is { } reason)
        {
            HttpLog.GraphFailed(_logger, reason, graph.Vectors);
        }
    }

    private static string Text(GraphStatus graph)
    {
        string now =
            graph.Vectors == 0
                ? "every search is exact"
                : $"{graph.Vectors} vectors; {graph.Changed} items changed and {graph.Removed} were removed since it was built";
        return graph.IsBuilding ? $"{now}; building another: {graph.Added} vectors" : now;
    }

    /// <summary>An attribute that no item has may be rare, or misspelled in the trainer's settings.</summary>
    private void LogUnusedAttributes(IndexStatus status)
    {
        if (status is not { Phase: IndexPhase.Fresh, Items: > 0 })
        {
            return;
        }

        IndexView view = lookups.Take().View;
        string unused = string.Join(
            ", ",
            view.Attributes.Where(attribute => view.ItemsWith(attribute.Name) == 0).Select(static attribute => attribute.Name)
        );
        if (unused.Length > 0 && unused != _unusedAttributes)
        {
            HttpLog.UnusedAttributes(_logger, status.Items, unused);
        }

        _unusedAttributes = unused;
    }

    /// <summary>
    /// An occasional unreadable value is only counted; when every value read since the last report was refused, health degrades.
    /// </summary>
    private void ReportRefused()
    {
        long found = lookups.Metrics.ValuesFound;
        EmbeddingFault[] grown = [.. Refusals.All.Where(fault => lookups.Metrics.ValuesRefused(fault) > _refused[(int)fault])];
        if (found == _found && grown.Length > 0 && !_allRefused)
        {
            string reasons = string.Join("; ", grown.Select(Refusals.Describe));
            health.Set("values", HealthLevel.Degraded, $"every value read recently was refused: {reasons}");
            HttpLog.AllRefused(_logger, reasons);
            _allRefused = true;
        }
        else if (found > _found)
        {
            health.Set("values", HealthLevel.Healthy);
            if (_allRefused)
            {
                HttpLog.ValuesReadable(_logger);
                _allRefused = false;
            }
        }

        _found = found;
        foreach (EmbeddingFault fault in grown)
        {
            _refused[(int)fault] = lookups.Metrics.ValuesRefused(fault);
        }
    }
}
