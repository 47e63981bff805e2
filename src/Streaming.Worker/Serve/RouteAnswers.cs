using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using StackExchange.Redis;
using Streaming.Core.Embeddings;
using Streaming.Serving.Towers;
using Streaming.Worker.Http;

namespace Streaming.Worker.Serve;

/// <summary>How lookups over HTTP read their parameters and answer with JSON. What goes wrong is <see cref="Problems"/>'s.</summary>
internal static class RouteAnswers
{
    /// <summary>The most items of a first pass at a narrow width.</summary>
    public const int MostShortlist = 100_000;

    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    /// <summary>A route's handler.</summary>
    /// <param name="answer">Makes the answer.</param>
    /// <param name="allowed">Names of the query's parameters; others are refused.</param>
    public static RequestDelegate Answer(Func<HttpContext, Task<object>> answer, params string[] allowed) => context => AnswerAsync(context, answer, allowed);

    /// <summary>Whether an exception says that the store does not answer.</summary>
    public static bool IsStoreAway(Exception exception) => exception is RedisException or TimeoutException;

    /// <summary>Whether an exception says that what the store holds of the model as a whole cannot be used: its pointer, its layout.</summary>
    public static bool IsStoreUnreadable(Exception exception) => exception is FormatException or KeyLayoutException;

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
            : throw LookupException.Wrong($"{name} is \"{text}\"; allowed: {least} to {most}");
    }

    /// <summary>A yes or no of the query.</summary>
    /// <exception cref="LookupException">It is neither.</exception>
    public static bool Flag(HttpContext context, string name, bool ordinarily)
    {
        string? text = context.Request.Query[name];
        return string.IsNullOrEmpty(text) ? ordinarily
            : bool.TryParse(text, out bool flag) ? flag
            : throw LookupException.Wrong($"{name} is \"{text}\"; allowed: true or false");
    }

    /// <summary>The body as JSON.</summary>
    /// <exception cref="LookupException">It is none, or of another shape.</exception>
    public static async Task<JsonElement> BodyAsync(HttpContext context, string allowed)
    {
        try
        {
            return await JsonSerializer.DeserializeAsync<JsonElement>(context.Request.Body, Json, context.RequestAborted).ConfigureAwait(false);
        }
        catch (JsonException)
        {
            throw LookupException.Wrong(allowed);
        }
    }

    /// <summary>A JSON list of item ids.</summary>
    /// <exception cref="LookupException">It is none, or too long or too short.</exception>
    public static string[] ItemIds(JsonElement list, int least, int most, string allowed)
    {
        if (list.ValueKind != JsonValueKind.Array || list.GetArrayLength() < least || list.GetArrayLength() > most)
        {
            throw LookupException.Wrong(allowed);
        }

        return [.. list.EnumerateArray().Select(id => id.ValueKind == JsonValueKind.String && id.GetString() is { Length: > 0 } text ? text : throw LookupException.Wrong(allowed))];
    }

    private static async Task AnswerAsync(HttpContext context, Func<HttpContext, Task<object>> answer, string[] allowed)
    {
        if (context.Request.Query.Keys.FirstOrDefault(name => !allowed.Contains(name, StringComparer.Ordinal)) is { } unknown)
        {
            throw LookupException.Wrong($"there is no parameter \"{unknown}\" here; allowed: {string.Join(", ", allowed)}");
        }

        object body;
        try
        {
            body = await answer(context).ConfigureAwait(false);
        }
        catch (Exception exception) when (IsStoreAway(exception))
        {
            throw LookupException.Unavailable("the store does not answer");
        }
        catch (Exception exception) when (exception is TowerMismatchException or EmbeddingFormatException || IsStoreUnreadable(exception))
        {
            throw LookupException.Unavailable(exception.Message);
        }

        await context.Response.WriteAsJsonAsync(body, Json, context.RequestAborted).ConfigureAwait(false);
    }
}
