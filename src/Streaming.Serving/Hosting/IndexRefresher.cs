using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Streaming.Serving.Clients;
using Streaming.Serving.Graphs;
using Streaming.Serving.Search;

namespace Streaming.Serving.Hosting;

/// <summary>Loads and refreshes the client's index while the application runs. Ids 1 to 5 of the log.</summary>
internal sealed partial class IndexRefresher(StreamingClient client, ILogger<IndexRefresher> logger) : BackgroundService
{
    private string? _error;
    private uint _generation;
    private GraphStatus _graph = new();

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (client.Updater is not { } updater)
        {
            return;
        }

        updater.Refreshed += error => Log(updater.Status(), error);
        await updater.RunAsync(stoppingToken).ConfigureAwait(false);
    }

    /// <summary>One line for each change, not for each refresh.</summary>
    private void Log(IndexStatus status, Exception? error)
    {
        if (error is not null && _error is null)
        {
            Failing(logger, error.Message);
        }
        else if (error is null && _error is not null)
        {
            Recovered(logger);
        }

        if (status.CanAnswer && status.Generation != _generation)
        {
            Ready(logger, status.Items, _generation = status.Generation);
        }

        LogGraph(status.Graph);
        _error = error?.Message;
    }

    private void LogGraph(GraphStatus? graph)
    {
        if (graph is null)
        {
            return;
        }

        if (graph.Builds > _graph.Builds)
        {
            GraphBuilt(logger, graph.Vectors, graph.LastBuild, graph.Bytes);
        }

        if (graph.FailedBuilds > _graph.FailedBuilds && graph.Error is { } reason)
        {
            GraphFailed(logger, reason, graph.Vectors);
        }

        _graph = graph;
    }

    [LoggerMessage(1, LogLevel.Information, "The index holds {Items} items of generation {Generation}")]
    private static partial void Ready(ILogger logger, int items, uint generation);

    [LoggerMessage(2, LogLevel.Warning, "The index cannot be refreshed and is being retried: {Error}")]
    private static partial void Failing(ILogger logger, string error);

    [LoggerMessage(3, LogLevel.Information, "The index is being refreshed again")]
    private static partial void Recovered(ILogger logger);

    [LoggerMessage(4, LogLevel.Information, "The graph of {Vectors} items was built in {Time} and takes {Bytes} bytes")]
    private static partial void GraphBuilt(ILogger logger, int vectors, TimeSpan time, long bytes);

    [LoggerMessage(
        5,
        LogLevel.Warning,
        "Failed to build the graph ({Reason}); retrying in a minute; searches use the previous one, of {Vectors} items (0: exact search)"
    )]
    private static partial void GraphFailed(ILogger logger, string reason, int vectors);
}
