using Grpc.Core;
using Grpc.Core.Interceptors;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Streaming.Worker.Http;
using Streaming.Worker.Serve;

namespace Streaming.Worker.Rpc;

/// <summary>Turns what goes wrong with a call into a status of gRPC, with the words that HTTP gives.</summary>
internal sealed class RpcErrors(ILoggerFactory loggers) : Interceptor
{
    private readonly ILogger _logger = loggers.CreateLogger(nameof(RpcErrors));

    /// <inheritdoc/>
    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request,
        ServerCallContext context,
        UnaryServerMethod<TRequest, TResponse> continuation
    )
    {
        try
        {
            return await continuation(request, context).ConfigureAwait(false);
        }
        catch (LookupException exception)
        {
            throw Error(Code(exception.Status), exception.Message);
        }
        catch (Exception exception) when (RouteAnswers.IsStoreAway(exception))
        {
            throw Error(StatusCode.Unavailable, RouteAnswers.StoreAway);
        }
        catch (Exception exception) when (RouteAnswers.IsUnusable(exception))
        {
            throw Error(StatusCode.Unavailable, exception.Message);
        }
        catch (Exception exception) when (exception is not RpcException && !context.CancellationToken.IsCancellationRequested)
        {
            HttpLog.RequestFailed(_logger, "gRPC", context.Method, exception);
            throw Error(StatusCode.Internal, Problems.OurError);
        }
    }

    private static RpcException Error(StatusCode code, string message) => new(new Status(code, message));

    private static StatusCode Code(int status) =>
        status switch
        {
            StatusCodes.Status400BadRequest => StatusCode.InvalidArgument,
            StatusCodes.Status404NotFound => StatusCode.NotFound,
            StatusCodes.Status502BadGateway => StatusCode.DataLoss,
            _ => StatusCode.Unavailable,
        };
}
