using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Streaming.Serving.Search;
using Streaming.Worker.Health;
using Streaming.Worker.Http;

namespace Streaming.Worker.Serve;

/// <summary>Keeps the index of the generation on trial up to date while the server runs, and reports its state to log and health. A trial
/// never makes the process unready: its users are answered like the others meanwhile.</summary>
public sealed class TrialService(ServedGenerations generations, HealthReport health, TimeProvider time, ILoggerFactory loggers)
    : BackgroundService
{
    private static readonly TimeSpan Glance = TimeSpan.FromSeconds(1);

    private readonly ILogger _logger = loggers.CreateLogger(nameof(TrialService));
    private string? _last;

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (generations.Trial is not { } trial)
        {
            return;
        }

        Report(trial);
        Task updating = trial.Updater.RunAsync(stoppingToken);
        while (!updating.IsCompleted)
        {
            await Task.WhenAny(updating, Task.Delay(Glance, time, stoppingToken)).ConfigureAwait(false);
            Report(trial);
        }

        await updating.ConfigureAwait(false);
    }

    private void Report(Lookups trial)
    {
        (IndexStatus status, string? reason) = trial.Look();
        string? trouble =
            reason
            ?? (
                status.Phase == IndexPhase.Stale ? $"the index was last refreshed {status.Age.TotalSeconds:F0} s ago: {status.Error}"
                : generations.Active.Take().View.Generation == trial.Pinned
                    ? $"readers use generation {trial.Pinned} too, so there is nothing to compare"
                : null
            );
        health.Set("trial", trouble is null ? HealthLevel.Healthy : HealthLevel.Degraded, trouble ?? string.Empty);
        Log(trial, status, reason ?? trouble);
    }

    private void Log(Lookups trial, IndexStatus status, string? trouble)
    {
        // An age changes all the time; a kind of trouble does not.
        string kind = trouble is null ? string.Empty : $"{status.Phase} {trial.IsGone}";
        if (kind == _last)
        {
            return;
        }

        if (trouble is null)
        {
            HttpLog.TrialReady(_logger, trial.Pinned, status.Items, trial.IndexBytes);
        }
        else if (status.Phase != IndexPhase.Loading || status.Error is not null)
        {
            HttpLog.TrialNotReady(_logger, trial.Pinned, trouble);
        }

        _last = kind;
    }
}
