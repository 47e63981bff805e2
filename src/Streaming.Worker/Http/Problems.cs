using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Logging;

namespace Streaming.Worker.Http;

/// <summary>Whatever goes wrong with a request is answered with JSON (RFC 9457), also what the server itself refuses. What a caller sent
/// is the caller's to read, not an error of the log.</summary>
internal sealed class Problems(ILogger logger)
{
    /// <summary>What a caller is told of an error that is not the caller's.</summary>
    public const string OurError = "an error of this server; its log says more";

    private const string RetrySeconds = "2";

    /// <summary>Answers a request, whatever becomes of it.</summary>
    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        try
        {
            await next(context).ConfigureAwait(false);
            if (context.Response is { StatusCode: >= StatusCodes.Status400BadRequest, HasStarted: false, ContentType: null })
            {
                await WriteAsync(context, context.Response.StatusCode, Refusal(context)).ConfigureAwait(false);
            }
        }
        catch (Exception) when (context.RequestAborted.IsCancellationRequested || context.Response.HasStarted)
        {
            context.Abort();
        }
        catch (LookupException exception)
        {
            await WriteAsync(context, exception.Status, exception.Message).ConfigureAwait(false);
        }
        catch (BadHttpRequestException exception)
        {
            await WriteAsync(context, exception.StatusCode, exception.Message).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            HttpLog.RequestFailed(logger, context.Request.Method, context.Request.Path, exception);
            await WriteAsync(context, StatusCodes.Status500InternalServerError, OurError).ConfigureAwait(false);
        }
    }

    private static string Refusal(HttpContext context) =>
        context.Response.StatusCode switch
        {
            StatusCodes.Status404NotFound => $"there is nothing at {context.Request.Path}",
            StatusCodes.Status405MethodNotAllowed =>
                $"{context.Request.Method} is not allowed here; allowed: {context.Response.Headers.Allow}",
            int status => ReasonPhrases.GetReasonPhrase(status),
        };

    private static Task WriteAsync(HttpContext context, int status, string detail)
    {
        if (status == StatusCodes.Status503ServiceUnavailable)
        {
            context.Response.Headers.RetryAfter = RetrySeconds;
        }

        return TypedResults.Problem(detail, statusCode: status).ExecuteAsync(context);
    }
}
