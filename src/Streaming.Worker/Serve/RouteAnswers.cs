using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Google.Protobuf;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Headers;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;
using StackExchange.Redis;
using Streaming.Core.Embeddings;
using Streaming.Core.Hashing;
using Streaming.Serving.Filters;
using Streaming.Serving.Towers;
using Streaming.Worker.Http;

namespace Streaming.Worker.Serve;

/// <summary>Parses parameters of lookups over HTTP and writes JSON answers. <see cref="Problems"/> handles errors.</summary>
internal static class RouteAnswers
{
    /// <summary>The most candidates of a first pass at a narrow width.</summary>
    public const int MostShortlist = 100_000;

    /// <summary>The media type of messages of schemas/serving.proto.</summary>
    public const string Protobuf = "application/x-protobuf";

    /// <summary>The parameter that names a generation.</summary>
    public const string GenerationParameter = "generation";

    /// <summary>What a caller is told while the store does not answer.</summary>
    public const string StoreAway = "the store does not answer";

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    /// <summary>Creates a route's handler.</summary>
    /// <param name="answer">Produces the answer.</param>
    /// <param name="allowed">Names of the query parameters; others are refused.</param>
    public static RequestDelegate Answer(Func<HttpContext, Task<object>> answer, params string[] allowed) =>
        context => AnswerAsync(context, answer, allowed);

    /// <summary>Whether an exception means that the store does not answer.</summary>
    public static bool IsStoreAway(Exception exception) => exception is RedisException or TimeoutException;

    /// <summary>Whether an exception means that the stored model as a whole is unusable: its pointer or its key layout.</summary>
    public static bool IsStoreUnreadable(Exception exception) => exception is FormatException or KeyLayoutException;

    /// <summary>Whether an exception means that what is stored does not fit together now; its message says what.</summary>
    public static bool IsUnusable(Exception exception) =>
        exception is TowerMismatchException or EmbeddingFormatException || IsStoreUnreadable(exception);

    /// <summary>Returns the second segment of the raw path as an id. Routing leaves %2F undecoded, so its value cannot tell an id
    /// with a slash from one with these three characters.</summary>
    public static string Id(HttpContext context)
    {
        string target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        return target.StartsWith('/') ? Uri.UnescapeDataString(target.Split('?')[0].Split('/')[2]) : (string)context.GetRouteValue("id")!;
    }

    /// <summary>Parses an integer query parameter.</summary>
    /// <exception cref="LookupException">It is not an integer, or is out of range.</exception>
    public static int Number(HttpContext context, string name, int ordinarily, int least, int most)
    {
        string? text = context.Request.Query[name];
        return string.IsNullOrEmpty(text) ? ordinarily
            : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number >= least && number <= most
                ? number
            : throw LookupException.Wrong($"{name} is \"{text}\"; allowed: {least} to {most}");
    }

    /// <summary>The generation that a request names; 0: none.</summary>
    /// <exception cref="LookupException">It is not the number of a generation.</exception>
    public static uint Generation(HttpContext context) => (uint)Number(context, GenerationParameter, 0, 1, int.MaxValue);

    /// <summary>Parses a boolean query parameter.</summary>
    /// <exception cref="LookupException">It is not true or false.</exception>
    public static bool Flag(HttpContext context, string name, bool ordinarily)
    {
        string? text = context.Request.Query[name];
        return string.IsNullOrEmpty(text) ? ordinarily
            : bool.TryParse(text, out bool flag) ? flag
            : throw LookupException.Wrong($"{name} is \"{text}\"; allowed: true or false");
    }

    /// <summary>What an answer calls its ranking.</summary>
    public static string Ranking(bool isFused) => isFused ? "fused" : "vector";

    /// <summary>The item ids that the query gives by a name, any number of times.</summary>
    /// <exception cref="LookupException">There are too many, or one is empty.</exception>
    public static string[] Ids(HttpContext context, string name, HttpOptions options)
    {
        string[] ids = [.. context.Request.Query[name].OfType<string>()];
        return ids.Length > options.MaxItems
                ? throw LookupException.Wrong($"{name} is given {ids.Length} times; allowed: up to {options.MaxItems}")
            : ids.Contains(string.Empty) ? throw LookupException.Wrong($"{name} is \"\"; allowed: an item's id")
            : ids;
    }

    /// <summary>Reads the body as JSON.</summary>
    /// <exception cref="LookupException">It is not JSON, or has the wrong shape.</exception>
    public static async Task<JsonElement> BodyAsync(HttpContext context, string allowed)
    {
        try
        {
            return await JsonSerializer
                .DeserializeAsync<JsonElement>(context.Request.Body, Json, context.RequestAborted)
                .ConfigureAwait(false);
        }
        catch (JsonException)
        {
            throw LookupException.Wrong(allowed);
        }
    }

    /// <summary>Reads a JSON list of item ids.</summary>
    /// <exception cref="LookupException">It is not a list of ids, or its length is out of range.</exception>
    public static string[] ItemIds(JsonElement list, int least, int most, string allowed)
    {
        if (list.ValueKind != JsonValueKind.Array || list.GetArrayLength() < least || list.GetArrayLength() > most)
        {
            throw LookupException.Wrong(allowed);
        }

        return
        [
            .. list.EnumerateArray()
                .Select(id =>
                    id.ValueKind == JsonValueKind.String && id.GetString() is { Length: > 0 } text
                        ? text
                        : throw LookupException.Wrong(allowed)
                ),
        ];
    }

    private static async Task AnswerAsync(HttpContext context, Func<HttpContext, Task<object>> produce, string[] allowed)
    {
        if (context.Request.Query.Keys.FirstOrDefault(name => !allowed.Contains(name, StringComparer.Ordinal)) is { } unknown)
        {
            throw LookupException.Wrong(
                $"unknown parameter \"{unknown}\"; allowed: {(allowed.Length > 0 ? string.Join(", ", allowed) : "none")}"
            );
        }

        object body;
        try
        {
            body = await produce(context).ConfigureAwait(false);
        }
        catch (Exception exception) when (IsStoreAway(exception))
        {
            throw LookupException.Unavailable(StoreAway);
        }
        catch (ItemFilterException exception)
        {
            throw LookupException.Wrong(exception.Message);
        }
        catch (Exception exception) when (IsUnusable(exception))
        {
            throw LookupException.Unavailable(exception.Message);
        }

        using var answer = new PooledBuffer();
        if (body is IMessage message)
        {
            message.WriteTo(answer);
            await WriteAsync(context, answer.Written, Protobuf).ConfigureAwait(false);
            return;
        }

        using (var writer = new Utf8JsonWriter(answer))
        {
            JsonSerializer.Serialize(writer, body, Json);
        }

        await WriteAsync(context, answer.Written, "application/json; charset=utf-8").ConfigureAwait(false);
    }

    /// <summary>Answers with a body, or, to a caller who has it already, with its tag alone.</summary>
    private static Task WriteAsync(HttpContext context, ReadOnlyMemory<byte> body, string type)
    {
        if (!HttpMethods.IsPost(context.Request.Method))
        {
            // Weak: the same answer may be compressed or not. Answers of two generations are two even where they read the same.
            ResponseHeaders headers = context.Response.GetTypedHeaders();
            _ = uint.TryParse(
                context.Response.Headers[ServedGenerations.GenerationHeader],
                CultureInfo.InvariantCulture,
                out uint generation
            );
            var tag = new EntityTagHeaderValue($"\"{XxHash64.Hash(body.Span, seed: generation):x16}\"", isWeak: true);
            headers.ETag = tag;
            headers.CacheControl = new CacheControlHeaderValue { NoCache = true };
            if (context.Request.GetTypedHeaders().IfNoneMatch.Any(known => known.Compare(tag, useStrongComparison: false)))
            {
                context.Response.StatusCode = StatusCodes.Status304NotModified;
                return Task.CompletedTask;
            }
        }

        context.Response.ContentType = type;
        context.Response.ContentLength = body.Length;
        return context.Response.Body.WriteAsync(body, context.RequestAborted).AsTask();
    }
}
