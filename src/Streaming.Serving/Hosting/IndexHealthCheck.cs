using Microsoft.Extensions.Diagnostics.HealthChecks;
using Streaming.Serving.Clients;
using Streaming.Serving.Search;

namespace Streaming.Serving.Hosting;

/// <summary>Whether the client's index can answer, and how old it is.</summary>
internal sealed class IndexHealthCheck(StreamingClient client) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(Check());

    private HealthCheckResult Check()
    {
        if (client.Updater?.Status() is not { } status)
        {
            return HealthCheckResult.Healthy("Without an index.");
        }

        Dictionary<string, object> data = new()
        {
            ["generation"] = status.Generation,
            ["items"] = status.Items,
            ["ageSeconds"] = status.Age.TotalSeconds,
        };
        if (status.Graph is { } graph)
        {
            data["graphVectors"] = graph.Vectors;
            data["graphChanged"] = graph.Changed;
        }

        return client.Unready() is { } reason ? HealthCheckResult.Unhealthy(reason, data: data)
            : status.Phase == IndexPhase.Stale
                ? HealthCheckResult.Degraded($"Last refreshed {status.Age.TotalSeconds:F0} s ago: {status.Error}", data: data)
            : status.Graph?.Error is { } error
                ? HealthCheckResult.Degraded($"The graph of the approximate search could not be built: {error}", data: data)
            : HealthCheckResult.Healthy($"{status.Items} items of generation {status.Generation}.", data);
    }
}
