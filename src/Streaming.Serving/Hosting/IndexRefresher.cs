using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Streaming.Serving.Clients;
using Streaming.Serving.Search;

namespace Streaming.Serving.Hosting;

/// <summary>Loads and refreshes the client's index while the application runs. Ids 1 to 3 of the log.</summary>
internal sealed partial class IndexRefresher(StreamingClient client, ILogger<IndexRefresher> logger) : BackgroundService
{
    private string? _error;
    private uint _generation;

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

        _error = error?.Message;
    }

    [LoggerMessage(1, LogLevel.Information, "The index holds {Items} items of generation {Generation}")]
    private static partial void Ready(ILogger logger, int items, uint generation);

    [LoggerMessage(2, LogLevel.Warning, "The index cannot be refreshed and is being retried: {Error}")]
    private static partial void Failing(ILogger logger, string error);

    [LoggerMessage(3, LogLevel.Information, "The index is being refreshed again")]
    private static partial void Recovered(ILogger logger);
}
