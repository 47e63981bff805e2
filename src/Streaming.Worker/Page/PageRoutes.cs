using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using StackExchange.Redis;
using Streaming.Core.Generations;
using Streaming.Transport.Redis;
using Streaming.Worker.Figures;
using Streaming.Worker.Generations;
using Streaming.Worker.Http;

namespace Streaming.Worker.Page;

/// <summary>
/// The page at / and what it asks for: GET /status (the figures of this moment), GET /figures?resolution=second|minute&amp;since= (the
/// past), GET /generations.
/// </summary>
public static class PageRoutes
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>Adds the routes.</summary>
    /// <param name="routes">The route builder.</param>
    /// <param name="source">What this process has to show.</param>
    public static void Map(IEndpointRouteBuilder routes, PageSource source)
    {
        ArgumentNullException.ThrowIfNull(source);
        PageFiles.Map(routes);
        routes.MapRead("/status", context => WriteAsync(context, StatusAnswer.Of(source)));
        if (source.Figures is { } figures)
        {
            routes.MapRead("/figures", context => WriteAsync(context, Past(context.Request.Query, figures)));
        }

        if (source.Generations is { } generations)
        {
            routes.MapRead(
                "/generations",
                async context =>
                    await WriteAsync(context, await GenerationsAsync(generations, context.RequestAborted).ConfigureAwait(false))
                        .ConfigureAwait(false)
            );
        }
    }

    private static object Past(IQueryCollection query, FigureHistory figures)
    {
        string? text = query["since"];
        if (
            !long.TryParse(text ?? "0", NumberStyles.None, CultureInfo.InvariantCulture, out long since)
            || since > DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()
        )
        {
            throw LookupException.Wrong($"since is \"{text}\"; allowed: a time in Unix milliseconds");
        }

        var after = DateTimeOffset.FromUnixTimeMilliseconds(since);
        return (string?)query["resolution"] switch
        {
            null or "second" => FigureColumns.Of(figures.BySecond(after)),
            "minute" => FigureColumns.Of(figures.ByMinute(after)),
            { } other => throw LookupException.Wrong($"resolution is \"{other}\"; allowed: second, minute"),
        };
    }

    private static async Task<object> GenerationsAsync(Func<GenerationList?> generations, CancellationToken cancellationToken)
    {
        GenerationList list = generations() ?? throw LookupException.Unavailable("the store is not connected yet");
        try
        {
            (uint active, IReadOnlyList<GenerationRecord> records) = await list.ReadAsync(cancellationToken)
                .WaitAsync(Patience, cancellationToken)
                .ConfigureAwait(false);
            return new { active, records };
        }
        catch (Exception exception) when (exception is RedisException or TimeoutException)
        {
            throw LookupException.Unavailable($"the store does not answer: {RedisConnection.FirstWords(exception.Message)}");
        }
        catch (FormatException exception)
        {
            throw LookupException.Unavailable(exception.Message);
        }
    }

    private static Task WriteAsync(HttpContext context, object answer)
    {
        // Figures of this moment: a copy of them is never right.
        context.Response.Headers.CacheControl = "no-store";
        return context.Response.WriteAsJsonAsync(answer, Json, context.RequestAborted);
    }
}
