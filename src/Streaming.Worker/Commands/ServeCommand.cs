using System.CommandLine;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;
using Streaming.Transport.Redis;
using Streaming.Worker.Catalogues;
using Streaming.Worker.Failures;
using Streaming.Worker.Generations;
using Streaming.Worker.Health;
using Streaming.Worker.Http;
using Streaming.Worker.Logging;
using Streaming.Worker.Metrics;
using Streaming.Worker.Otlp;
using Streaming.Worker.Page;
using Streaming.Worker.Rpc;
using Streaming.Worker.Run;
using Streaming.Worker.Serve;
using Streaming.Worker.Settings;
using Streaming.Worker.Shutdown;
using Streaming.Worker.Stages;

namespace Streaming.Worker.Commands;

/// <summary>`streaming serve`: answers lookups and recommendations over HTTP from Redis.</summary>
internal static class ServeCommand
{
    /// <summary>Creates the command.</summary>
    public static Command Create()
    {
        var items = new Option<string[]>("--items")
        {
            Description = "Item files (CSV: item,title,…; JSON lines, Parquet) with titles to show next to ids.",
            AllowMultipleArgumentsPerToken = true,
            HelpName = "FILE",
        };
        var columns = new ItemColumns(items);
        Option<string?> file = SettingsOption.Create();
        var command = new Command(
            "serve",
            "Serve lookups and recommendations over HTTP from Redis: GET /items/{id}?width=, POST /items, "
                + "GET /items?search=, GET /items/{id}/neighbours, GET /users/{id}/recommendations, POST /recommendations, and a page "
                + "at /; and over gRPC (schemas/serving.proto) at STREAMING__Http__GrpcPort."
        )
        {
            file,
            items,
            columns.Option,
        };
        command.SetAction(
            async (result, _) =>
            {
                SettingsValues read = SettingsOption.Read(result.GetValue(file));
                WorkerOptions settings = WorkerSettings.Options(read);
                var catalogue = ItemCatalogue.ReadAll(
                    result.GetValue(items) ?? [],
                    static line => Console.Error.WriteLine("streaming: " + line),
                    map: columns.Read(result)
                );
                using ILoggerFactory loggers = WorkerLogging.Create(settings.Log, settings.Telemetry, settings.Redis.Model);
                SettingsLog.Notices(loggers, read);
                using var signals = new ShutdownSignals(
                    settings.Pipeline.ShutdownTimeout,
                    TimeProvider.System,
                    static () => ProcessEnd.Now((int)ExitCode.Aborted)
                );
                await RunAsync(settings, item => catalogue.Find(item)?.GetValueOrDefault("title"), loggers, signals).ConfigureAwait(false);
                return (int)ExitCode.Success;
            }
        );
        return command;
    }

    private static async Task RunAsync(
        WorkerOptions settings,
        Func<string, string?> titleOf,
        ILoggerFactory loggers,
        ShutdownSignals signals
    )
    {
        HttpOptions http = settings.Http;
        using ConnectionMultiplexer redis = await RedisConnection.OpenAsync(settings.Redis, signals.Abort).ConfigureAwait(false);
        Lookups Open(uint generation) =>
            new(redis.GetDatabase(), settings.Redis, settings.Serve, settings.Model.Widths, titleOf, TimeProvider.System, generation);
        using Lookups lookups = Open(0);
        using Lookups? trial = settings.Serve.TrialGeneration is var number and not 0 ? Open(number) : null;
        var served = new ServedGenerations(lookups, trial, settings.Serve.TrialShare);
        await lookups.CheckAsync(signals.Abort).ConfigureAwait(false);
        ServeMemory.Require(
            settings.Serve,
            await lookups.RecordAsync(signals.Abort).ConfigureAwait(false),
            trial is null ? null : await trial.RecordAsync(signals.Abort).ConfigureAwait(false),
            GC.GetGCMemoryInfo().TotalAvailableMemoryBytes
        );
        using IDisposable? telemetry = Telemetry.Start(settings.Telemetry, settings.Redis.Model, loggers.CreateLogger(nameof(Telemetry)));
        using var exposition = new PrometheusExposition(settings.Redis.Model, Telemetry.Meters);
        using var model = new ModelMetrics(() => served.Served);
        var generations = new GenerationList(redis.GetDatabase(), settings.Redis, settings.Model.Widths, TimeProvider.System);
        var health = new HealthReport();
        using var healthMetrics = new HealthMetrics(health);
        await using HttpEndpoint endpoint = await HttpEndpoint
            .StartAsync(
                http with
                {
                    Port = Math.Max(http.Port, 0),
                },
                loggers,
                routes =>
                {
                    OperationsRoutes.Map(routes, health, exposition);
                    LookupRoutes.Map(routes, served, http);
                    RecommendationRoutes.Map(routes, served, http);
                    BecauseRoutes.Map(routes, served, http);
                    ListRoutes.Map(routes, served, http);
                    CatalogueRoutes.Map(routes, served);
                    ServingRpc.Map(routes);
                    ApiDescription.Map(routes);
                    PageRoutes.Map(
                        routes,
                        new PageSource
                        {
                            Model = settings.Redis.Model,
                            Served = served,
                            Generations = () => generations,
                        }
                    );
                },
                signals.Abort,
                new IndexService(lookups, settings.Serve, health, TimeProvider.System, loggers),
                services =>
                {
                    ServingRpc.AddServices(services, served, http);
                    services.AddHostedService(_ => new TrialService(served, health, TimeProvider.System, loggers));
                }
            )
            .ConfigureAwait(false);
        ILogger logger = loggers.CreateLogger(nameof(ServeCommand));
        PipelineLog.Listening(logger, endpoint.Address);
        if (endpoint.GrpcAddress is { } grpc)
        {
            HttpLog.GrpcListening(logger, grpc);
        }

        await new RedisWatch(redis, settings.Redis, health, TimeProvider.System, loggers)
            .RunAsync(signals.Stopping)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }
}
