using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using StackExchange.Redis;

namespace Streaming.Worker;

/// <summary>
/// Lookups over HTTP: GET /items/{id}?width=, POST /items (a JSON list of ids), GET /items/{id}/neighbours?width=&amp;count=.
/// Errors are {"error": …} with status 400, 404 or 503.
/// </summary>
internal static class LookupRoutes
{
    private const int MostNeighbours = 100;

    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    /// <summary>Adds the routes.</summary>
    public static void Map(IEndpointRouteBuilder routes, Lookups lookups, HttpOptions options)
    {
        routes.MapGet("/items/{id}", Answer(context => OneAsync(context, lookups)));
        routes.MapPost("/items", Answer(context => ManyAsync(context, lookups, options)));
        routes.MapGet("/items/{id}/neighbours", Answer(context => NeighboursAsync(context, lookups)));
    }

    private static async Task<object> OneAsync(HttpContext context, Lookups lookups)
    {
        string id = (string)context.GetRouteValue("id")!;
        IReadOnlyList<ItemVector?> found = await lookups.VectorsAsync([id], Width(context, lookups), context.RequestAborted).ConfigureAwait(false);
        return found[0] ?? throw new LookupException(StatusCodes.Status404NotFound, $"item \"{id}\" has no embedding");
    }

    private static async Task<object> ManyAsync(HttpContext context, Lookups lookups, HttpOptions options)
    {
        string[]? ids;
        try
        {
            ids = await JsonSerializer.DeserializeAsync<string[]>(context.Request.Body, Json, context.RequestAborted).ConfigureAwait(false);
        }
        catch (JsonException)
        {
            ids = null;
        }

        if (ids is null || ids.Length == 0 || ids.Length > options.MaxItems || ids.Any(string.IsNullOrEmpty))
        {
            throw new LookupException(StatusCodes.Status400BadRequest, $"the body must be a JSON list of 1 to {options.MaxItems} item ids");
        }

        IReadOnlyList<ItemVector?> found = await lookups.VectorsAsync(ids, Width(context, lookups), context.RequestAborted).ConfigureAwait(false);
        return new { items = found.OfType<ItemVector>(), missing = ids.Where((_, i) => found[i] is null) };
    }

    private static async Task<object> NeighboursAsync(HttpContext context, Lookups lookups)
    {
        string id = (string)context.GetRouteValue("id")!;
        int width = Width(context, lookups);
        IReadOnlyList<NearItem> neighbours = await lookups.NeighboursAsync(id, width, Number(context, "count", 10, 1, MostNeighbours), context.RequestAborted).ConfigureAwait(false)
            ?? throw new LookupException(StatusCodes.Status404NotFound, $"item \"{id}\" has no embedding");
        return new { item = id, title = lookups.TitleOf(id), width, neighbours };
    }

    private static int Width(HttpContext context, Lookups lookups) => Number(context, "width", lookups.Widths[^1], 1, lookups.Widths[^1]);

    private static int Number(HttpContext context, string name, int ordinarily, int least, int most)
    {
        string? text = context.Request.Query[name];
        return string.IsNullOrEmpty(text) ? ordinarily
            : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number >= least && number <= most ? number
            : throw new LookupException(StatusCodes.Status400BadRequest, $"{name} is \"{text}\"; allowed: {least} to {most}");
    }

    private static RequestDelegate Answer(Func<HttpContext, Task<object>> answer) => context => AnswerAsync(context, answer);

    private static async Task AnswerAsync(HttpContext context, Func<HttpContext, Task<object>> answer)
    {
        object body;
        try
        {
            body = await answer(context).ConfigureAwait(false);
        }
        catch (LookupException exception)
        {
            context.Response.StatusCode = exception.Status;
            body = new { error = exception.Message };
        }
        catch (Exception exception) when (exception is RedisException or TimeoutException)
        {
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            body = new { error = "the store does not answer" };
        }

        await context.Response.WriteAsJsonAsync(body, Json, context.RequestAborted).ConfigureAwait(false);
    }
}
