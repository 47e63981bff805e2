using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using StackExchange.Redis;
using Streaming.Serving.Approximate;
using Streaming.Serving.Clients;
using Streaming.Serving.Graphs;
using Streaming.Serving.Hosting;
using Streaming.Transport.Redis;
using Streaming.Transport.Redis.Publishing;
using Xunit;

namespace Streaming.Serving.Tests.Hosting;

public sealed class StreamingServingExtensionsTests(ServingFixture redis) : IClassFixture<ServingFixture>
{
    private readonly RedisOptions _redis = redis.Options();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Application_LoadsTheIndexInTheBackgroundAndIsHealthyThen()
    {
        EmbeddingPublisher publisher = await redis.OpenAsync(_redis);
        float[] vector = ServingFixture.Vector(new Random(1));
        await publisher.PublishAsync([ServingFixture.Item(0, 1, vector), ServingFixture.Item(1, 1, vector)], [], Stop);
        using IHost host = Build(options => options.Redis = _redis.Configuration);
        HealthCheckService health = host.Services.GetRequiredService<HealthCheckService>();

        HealthReportEntry before = await CheckAsync(health);
        Assert.Equal((HealthStatus.Unhealthy, "the index is loading"), (before.Status, before.Description));

        await host.StartAsync(Stop);
        await UntilAsync(health, HealthStatus.Healthy);

        StreamingClient client = host.Services.GetRequiredService<StreamingClient>();
        Assert.Equal(vector[..4], await client.GetAsync("item0", 4, Stop));
        Assert.Equal("item1", Assert.Single((await client.SimilarAsync("item0", 4, 5, Stop)).Items).Id);
        Assert.Equal("2 items of generation 1.", (await CheckAsync(health)).Description);

        // What is published later is found without a restart.
        await publisher.PublishAsync([ServingFixture.Item(2, 2, vector)], [], Stop);
        while ((await client.SimilarAsync("item0", 4, 5, Stop)).Items.Count < 2)
        {
            await Task.Delay(20, Stop);
        }

        await host.StopAsync(Stop);
    }

    [Fact]
    public async Task Application_WithAnApproximateSearch_IsDegradedWhileItsGraphCannotBeBuilt()
    {
        EmbeddingPublisher publisher = await redis.OpenAsync(_redis);
        float[] vector = ServingFixture.Vector(new Random(1));
        await publisher.PublishAsync([ServingFixture.Item(0, 1, vector), ServingFixture.Item(1, 1, vector)], [], Stop);
        foreach (bool fails in (bool[])[true, false])
        {
            using IHost host = Build(options =>
            {
                options.Redis = _redis.Configuration;
                options.RefreshInterval = TimeSpan.FromMilliseconds(20);
                options.Approximate = new ApproximateOptions
                {
                    MinItems = 2,
                    Create = shape => fails ? throw new UsearchException("no room") : UsearchGraph.Create(shape),
                };
            });
            await host.StartAsync(Stop);
            StreamingClient client = host.Services.GetRequiredService<StreamingClient>();
            while (client.Index!.Graph is not ({ Builds: 1 } or { FailedBuilds: 1 }))
            {
                await Task.Delay(20, Stop);
            }

            HealthReportEntry health = await CheckAsync(host.Services.GetRequiredService<HealthCheckService>());
            Assert.Equal(fails ? HealthStatus.Degraded : HealthStatus.Healthy, health.Status);
            Assert.Equal(
                fails ? "The graph of the approximate search could not be built: no room" : "2 items of generation 1.",
                health.Description
            );
            Assert.Equal(fails ? 0 : 2, health.Data["graphVectors"]);
            Assert.Equal("item1", Assert.Single((await client.SimilarAsync("item0", 16, 5, Stop)).Items).Id);
            await host.StopAsync(Stop);
        }
    }

    [Fact]
    public async Task Application_WhoseModelNobodyPublished_IsUnhealthyWithItsName()
    {
        using IHost host = Build(options => options.Redis = _redis.Configuration);
        await host.StartAsync(Stop);
        HealthCheckService health = host.Services.GetRequiredService<HealthCheckService>();

        while ((await CheckAsync(health)).Description != $"nothing is published for model '{_redis.Model}'")
        {
            await Task.Delay(20, Stop);
        }

        Assert.Equal(HealthStatus.Unhealthy, (await CheckAsync(health)).Status);
        await host.StopAsync(Stop);
    }

    [Fact]
    public async Task ConnectionOfTheContainer_IsUsedAndLeftOpen()
    {
        await using ConnectionMultiplexer connection = await ConnectionMultiplexer.ConnectAsync(_redis.Configuration);
        using (IHost host = Build(options => options.Index = false, services => services.AddSingleton<IConnectionMultiplexer>(connection)))
        {
            await host.StartAsync(Stop);
            Assert.Null(await host.Services.GetRequiredService<StreamingClient>().GetAsync("item0", 4, Stop));
            Assert.Equal(HealthStatus.Healthy, (await CheckAsync(host.Services.GetRequiredService<HealthCheckService>())).Status);
            await host.StopAsync(Stop);
        }

        Assert.True(connection.IsConnected);
    }

    [Fact]
    public void WithoutAnyConnection_TheErrorSaysWhatToSet()
    {
        using IHost host = Build(static _ => { });

        InvalidOperationException error = Assert.Throws<InvalidOperationException>(() =>
            host.Services.GetRequiredService<StreamingClient>()
        );

        Assert.Contains("set StreamingServingOptions.Redis", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WrongOptions_AreAllNamedWhenTheApplicationStarts()
    {
        using IHost host = Build(options =>
        {
            options.Redis = _redis.Configuration;
            options.Model = "a b";
            options.Partitions = 0;
            options.RefreshInterval = TimeSpan.Zero;
        });

        OptionsValidationException error = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync(Stop));

        Assert.Equal(3, error.Failures.Count());
        Assert.Contains(error.Failures, failure => failure.StartsWith("StreamingServingOptions.Model is 'a b'", StringComparison.Ordinal));
        Assert.Contains(error.Failures, failure => failure.StartsWith("StreamingServingOptions.Partitions is 0", StringComparison.Ordinal));
        Assert.Contains(error.Failures, failure => failure.Contains("RefreshInterval is ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task StoreThatGoesAway_IsDegradedWithItsReason()
    {
        EmbeddingPublisher publisher = await redis.OpenAsync(_redis);
        await publisher.PublishAsync([ServingFixture.Item(0, 1, ServingFixture.Vector(new Random(1)))], [], Stop);
        await using ConnectionMultiplexer connection = await ConnectionMultiplexer.ConnectAsync(_redis.Configuration);
        using IHost host = Build(
            options => options.RefreshInterval = TimeSpan.FromMilliseconds(20),
            services => services.AddSingleton<IConnectionMultiplexer>(connection)
        );
        HealthCheckService health = host.Services.GetRequiredService<HealthCheckService>();
        await host.StartAsync(Stop);
        await UntilAsync(health, HealthStatus.Healthy);

        await connection.CloseAsync(allowCommandsToComplete: false);
        await UntilAsync(health, HealthStatus.Degraded);

        Assert.StartsWith("Last refreshed ", (await CheckAsync(health)).Description, StringComparison.Ordinal);
        await host.StopAsync(Stop);
    }

    private static async Task<HealthReportEntry> CheckAsync(HealthCheckService health) =>
        (await health.CheckHealthAsync(Stop)).Entries[StreamingServingExtensions.HealthCheckName];

    private static async Task UntilAsync(HealthCheckService health, HealthStatus status)
    {
        while ((await CheckAsync(health)).Status != status)
        {
            await Task.Delay(20, Stop);
        }
    }

    private IHost Build(Action<StreamingServingOptions> configure, Action<IServiceCollection>? register = null)
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddStreamingServing(options =>
        {
            options.Model = _redis.Model;
            options.Partitions = _redis.Partitions;
            options.Widths = ServingFixture.Widths;
            configure(options);
        });
        register?.Invoke(builder.Services);
        return builder.Build();
    }
}
