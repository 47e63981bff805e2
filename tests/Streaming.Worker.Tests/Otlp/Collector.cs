using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace Streaming.Worker.Tests.Otlp;

/// <summary>An OTLP collector without TLS that keeps what it is sent: gRPC (HTTP/2) or Protobuf over HTTP/1.</summary>
internal sealed class Collector : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly ConcurrentQueue<(string Signal, string Bytes, string Key)> _received = [];

    private Collector(WebApplication application) => _application = application;

    public Uri Address => new(_application.Urls.Single());

    public long Exports => _received.Count(static export => export.Signal == "metrics");

    /// <summary>Whether an export of a signal contains a text and came with a value of the header x-key.</summary>
    public bool Has(string signal, string text, string key = "") =>
        _received.Any(export => export.Signal == signal && export.Key == key && export.Bytes.Contains(text, StringComparison.Ordinal));

    /// <summary>What a signal's exports hold, for messages: characters of ASCII.</summary>
    public string Texts(string signal) =>
        string.Join(
            '\n',
            _received
                .Where(export => export.Signal == signal)
                .Select(export => string.Concat(export.Bytes.Where(static one => one is >= ' ' and <= '~')))
        );

    /// <summary>How often a text occurs in the exports of a signal.</summary>
    public int Count(string signal, string text) =>
        _received.Where(export => export.Signal == signal).Sum(export => export.Bytes.Split(text, StringSplitOptions.None).Length - 1);

    public static async Task<Collector> StartAsync(int port = 0, HttpProtocols protocol = HttpProtocols.Http2)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port, listen => listen.Protocols = protocol));
        var collector = new Collector(builder.Build());
        foreach (string signal in (string[])["metrics", "trace", "logs"])
        {
            string service = char.ToUpperInvariant(signal[0]) + signal[1..];
            collector._application.MapPost(
                $"/opentelemetry.proto.collector.{signal}.v1.{service}Service/Export",
                context => collector.ExportAsync(context, signal)
            );
        }

        collector._application.MapPost("/v1/{signal}", collector.ExportHttpAsync);
        await collector._application.StartAsync();
        return collector;
    }

    public ValueTask DisposeAsync() => _application.DisposeAsync();

    private async Task ExportAsync(HttpContext context, string signal)
    {
        string bytes = await BodyAsync(context);
        context.Response.ContentType = "application/grpc";
        context.Response.DeclareTrailer("grpc-status");
        await context.Response.Body.WriteAsync(new byte[5]); // An empty message, not compressed.
        context.Response.AppendTrailer("grpc-status", "0");
        Keep(context, signal, bytes);
    }

    private async Task ExportHttpAsync(HttpContext context) =>
        Keep(context, (string)context.Request.RouteValues["signal"]!, await BodyAsync(context));

    private void Keep(HttpContext context, string signal, string bytes) =>
        _received.Enqueue((signal, bytes, context.Request.Headers["x-key"].ToString()));

    // Protobuf holds texts as they are.
    private static async Task<string> BodyAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        return Encoding.Latin1.GetString(body.ToArray());
    }
}
