using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Streaming.Learning.Training;
using Streaming.Serving.Search;
using Streaming.Worker.Http;
using Streaming.Worker.Metrics;

namespace Streaming.Worker.Serve;

/// <summary>The page at / and the figures it shows, GET /status. The page loads nothing from other hosts.</summary>
public static class PageRoutes
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    private static readonly byte[] Page = ReadPage();

    /// <summary>Adds the routes.</summary>
    /// <param name="routes">The route builder.</param>
    /// <param name="status">Returns the status of this process's pipeline; null if it has none.</param>
    /// <param name="index">The items that lookups are answered from; null if there are none.</param>
    public static void Map(IEndpointRouteBuilder routes, Func<PipelineStatus?> status, Func<IndexStatus>? index = null)
    {
        routes.MapRead(
            "/",
            static context =>
            {
                context.Response.ContentType = "text/html; charset=utf-8";
                // Titles and ids are untrusted: only the page's own script may run.
                context.Response.Headers.ContentSecurityPolicy =
                    "default-src 'self'; script-src 'unsafe-inline'; style-src 'unsafe-inline'";
                return context.Response.Body.WriteAsync(Page, context.RequestAborted).AsTask();
            }
        );
        routes.MapRead(
            "/status",
            context =>
                context.Response.WriteAsJsonAsync(
                    new { pipeline = Figures(status()), index = index?.Invoke() },
                    Json,
                    context.RequestAborted
                )
        );
    }

    private static object? Figures(PipelineStatus? status) =>
        status is null
            ? null
            : new
            {
                counts = status.Counts,
                lag = status.Source.Lag,
                deadLetters = status
                    .Source.Rejected.Where(static rejected => rejected.Records > 0)
                    .OrderByDescending(static rejected => rejected.Records)
                    .Select(static rejected => new
                    {
                        topic = rejected.Topic,
                        reason = rejected.Reason.ToString(),
                        records = rejected.Records,
                    }),
                overloaded = status.Overloaded,
                waiting = status.Waiting,
                items = status.Trainer.Items,
                steps = status.Trainer.Counters.Steps,
                bank = new { used = status.Trainer.BankEntries, held = status.Trainer.BankCount },
                drift = status.Trainer.Drift.Select(Finite),
                freshness = new
                {
                    p50 = status.Published?.RecentFreshness.Quantile(0.5),
                    p99 = status.Published?.RecentFreshness.Quantile(0.99),
                },
                widths = status.Trainer.Recall.Select((recall, k) => Width(status.Trainer, recall, k)),
                popularity = new
                {
                    recall = status.Trainer.Popularity.Recall,
                    ndcg = status.Trainer.Popularity.Ndcg,
                    newItems = status.Trainer.Popularity.NewItems,
                    repeats = status.Trainer.Popularity.Repeats,
                },
            };

    private static object Width(TrainerStatus trainer, SegmentRecall recall, int k) =>
        new
        {
            width = trainer.Widths[k],
            loss = k < trainer.Losses.Count ? Finite(trainer.Losses[k]) : null,
            recall = recall.Recall,
            ndcg = recall.Ndcg,
            newItems = recall.NewItems,
            repeats = recall.Repeats,
        };

    private static double? Finite(double value) => double.IsFinite(value) ? value : null;

    private static byte[] ReadPage()
    {
        using Stream stream = typeof(PageRoutes).Assembly.GetManifestResourceStream("page.html")!;
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        return copy.ToArray();
    }
}
