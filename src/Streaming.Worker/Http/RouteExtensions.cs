using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Streaming.Worker.Http;

/// <summary>Routes that are read.</summary>
internal static class RouteExtensions
{
    private static readonly string[] Methods = [HttpMethods.Get, HttpMethods.Head];

    /// <summary>Maps GET, and HEAD, which is answered with the same headers and no body.</summary>
    public static void MapRead(this IEndpointRouteBuilder routes, string pattern, RequestDelegate answer) =>
        routes.MapMethods(pattern, Methods, answer);
}
