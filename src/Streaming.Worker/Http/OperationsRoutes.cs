using System.Text.Json;
using Microsoft.AspNetCore.Http;
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
        routes.MapRead("/health/live", context => WriteHealthAsync(context, health, HealthLevel.NotReady));
        routes.MapRead("/health/ready", context => WriteHealthAsync(context, health, HealthLevel.Degraded));
        routes.MapRead(
            "/metrics",
            async context =>
            {
                context.Response.ContentType = "text/plain; version=0.0.4; charset=utf-8";
                await context.Response.WriteAsync(metrics.Render(), context.RequestAborted).ConfigureAwait(false);
            }
        );
    }

    private static Task WriteHealthAsync(HttpContext context, HealthReport health, HealthLevel worstAllowed)
    {
        HealthLevel level = health.Level;
        context.Response.StatusCode = level <= worstAllowed ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(
            JsonSerializer.Serialize(new { status = HealthReport.Name(level), parts = health.Parts() }),
            context.RequestAborted
        );
    }
}
