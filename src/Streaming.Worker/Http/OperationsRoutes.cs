using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Streaming.Worker.Health;
using Streaming.Worker.Metrics;

namespace Streaming.Worker.Http;

/// <summary>What operators ask for: /health/live, /health/ready, /metrics.</summary>
public static class OperationsRoutes
{
    /// <summary>Adds the routes.</summary>
    public static void Map(IEndpointRouteBuilder routes, HealthReport health, PrometheusExposition metrics)
    {
        // Alive until it has failed for good: a worker that waits for Kafka must not be restarted for it.
        routes.MapRead("/health/live", context => Report(health, HealthLevel.NotReady).ExecuteAsync(context));
        routes.MapRead("/health/ready", context => Report(health, HealthLevel.Degraded).ExecuteAsync(context));
        routes.MapRead(
            "/metrics",
            context => TypedResults.Text(metrics.Render(), "text/plain; version=0.0.4; charset=utf-8").ExecuteAsync(context)
        );
    }

    private static JsonHttpResult<object> Report(HealthReport health, HealthLevel worstAllowed)
    {
        HealthLevel level = health.Level;
        return TypedResults.Json<object>(
            new { status = HealthReport.Name(level), parts = health.Parts() },
            statusCode: level <= worstAllowed ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable
        );
    }
}
