using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Polly.Timeout;
using StackExchange.Redis;
using Streaming.Core;
using Streaming.Serving;

namespace Streaming.Worker;

/// <summary>How lookups over HTTP read their parameters and answer: JSON, errors as {"error": …} with status 400, 404 or 503.</summary>
internal static class RouteAnswers
{
    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    /// <summary>A route's handler.</summary>
    public static RequestDelegate Answer(Func<HttpContext, Task<object>> answer) => context => AnswerAsync(context, answer);

    /// <summary>The id in the second place of the path, whatever is in it: routing leaves %2F undecoded, and one cannot tell then
    /// whether an id holds a slash or these three characters.</summary>
    public static string Id(HttpContext context)
    {
        string target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        return target.StartsWith('/') ? Uri.UnescapeDataString(target.Split('?')[0].Split('/')[2]) : (string)context.GetRouteValue("id")!;
    }

    /// <summary>A whole number of the query.</summary>
    /// <exception cref="LookupException">It is none, or out of range.</exception>
    public static int Number(HttpContext context, string name, int ordinarily, int least, int most)
    {
        string? text = context.Request.Query[name];
        return string.IsNullOrEmpty(text) ? ordinarily
            : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number >= least && number <= most ? number
            : throw new LookupException(StatusCodes.Status400BadRequest, $"{name} is \"{text}\"; allowed: {least} to {most}");
    }

    /// <summary>A yes or no of the query.</summary>
    /// <exception cref="LookupException">It is neither.</exception>
    public static bool Flag(HttpContext context, string name, bool ordinarily)
    {
        string? text = context.Request.Query[name];
        return string.IsNullOrEmpty(text) ? ordinarily
            : bool.TryParse(text, out bool flag) ? flag
            : throw new LookupException(StatusCodes.Status400BadRequest, $"{name} is \"{text}\"; allowed: true or false");
    }

    /// <summary>The body as a list of item ids.</summary>
    /// <exception cref="LookupException">It is none, or too long or too short.</exception>
    public static async Task<string[]> ItemIdsAsync(HttpContext context, int least, int most)
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

        return ids is not null && ids.Length >= least && ids.Length <= most && !ids.Any(string.IsNullOrEmpty) ? ids
            : throw new LookupException(StatusCodes.Status400BadRequest, $"the body must be a JSON list of {least} to {most} item ids");
    }

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
        catch (Exception exception) when (exception is TowerMismatchException or EmbeddingFormatException or KeyLayoutException)
        {
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            body = new { error = exception.Message };
        }

        await context.Response.WriteAsJsonAsync(body, Json, context.RequestAborted).ConfigureAwait(false);
    }
}
