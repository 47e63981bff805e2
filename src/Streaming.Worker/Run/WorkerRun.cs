using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;
using Streaming.Core.Embeddings;
using Streaming.Learning.Checkpoints;
using Streaming.Learning.Engine;
using Streaming.Learning.Ranks;
using Streaming.Ranks;
using Streaming.Transport.Kafka.Native;
using Streaming.Transport.Redis;
using Streaming.Transport.Redis.Access;
using Streaming.Transport.Redis.Generations;
using Streaming.Transport.Redis.Leadership;
using Streaming.Transport.Redis.Publishing;
using Streaming.Worker.Engine;
using Streaming.Worker.Failures;
using Streaming.Worker.Figures;
using Streaming.Worker.Generations;
using Streaming.Worker.Health;
using Streaming.Worker.Http;
using Streaming.Worker.Metrics;
using Streaming.Worker.Otlp;
using Streaming.Worker.Page;
using Streaming.Worker.Stages;

namespace Streaming.Worker.Run;

/// <summary>The live worker: waits for the lease of its model, then runs the pipeline while it holds the lease.</summary>
internal sealed class WorkerRun : IDisposable
{
    private readonly RunRequest _request;
    private WorkerOptions _settings;
    private RunPlan _plan = RunPlan.First;
    private volatile bool _isPlanned;
    private readonly TimeProvider _time;
    private readonly ILoggerFactory _loggers;
    private readonly ILogger _logger;
    private readonly Func<TrainingEngine>? _engines;
    private readonly Collective _ranks;
    private readonly WorkerMetrics _metrics = new();
    private readonly HealthReport _health = new();
    private readonly HealthMetrics _healthMetrics;
    private readonly ModelMetrics _model;
    private readonly RankMetrics _rankMetrics;
    private readonly PrometheusExposition _exposition;
    private readonly IDisposable? _telemetry;
    private readonly ReturnPolicy _returns;
    private readonly FigureHistory _figures;
    private volatile GenerationList? _generations;
    private volatile Pipeline? _pipeline;

    /// <summary>Creates a worker; nothing connects before <see cref="RunAsync"/>.</summary>
    /// <param name="settings">All settings.</param>
    /// <param name="time">Clock.</param>
    /// <param name="loggers">Log.</param>
    /// <param name="request">What the command line requests; null: nothing.</param>
    /// <param name="engines">Creates the engine of each life; null: the one of the settings.</param>
    /// <param name="ranks">The ranks that train the model together; null: this process alone.</param>
    public WorkerRun(
        WorkerOptions settings,
        TimeProvider time,
        ILoggerFactory loggers,
        RunRequest? request = null,
        Func<TrainingEngine>? engines = null,
        Collective? ranks = null
    )
    {
        _ranks = ranks ?? new SoloCollective();
        _request = request ?? RunRequest.Plain;
        _engines = engines;
        _settings = settings;
        _time = time;
        _loggers = loggers;
        _logger = loggers.CreateLogger<WorkerRun>();
        _returns = new ReturnPolicy(settings.Kafka.SkipMissing, _logger);
        _healthMetrics = new HealthMetrics(_health);
        _rankMetrics = new RankMetrics(_ranks);
        _model = new ModelMetrics(() => _isPlanned ? [_plan.Generation] : []);
        _exposition = new PrometheusExposition(settings.Redis.Model, Telemetry.Meters);
        _figures = new FigureHistory(_metrics.Status, time);
        _telemetry = Telemetry.Start(settings.Telemetry, settings.Redis.Model, _logger);
    }

    /// <summary>Runs until told to stop.</summary>
    /// <param name="stopping">Drains and stops.</param>
    /// <param name="abort">Stops at once.</param>
    public async Task<ExitCode> RunAsync(CancellationToken stopping, CancellationToken abort)
    {
        KafkaLibrary.Load(_logger);
        if (_engines is null)
        {
            EngineFactory.RequireDevice(_settings.Engine);
            MemoryCheck.Require(_settings, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes, _ranks.Size, MpiWorld.LocalSize);
        }

        CheckpointFolder.RequireWritable(_settings.Checkpoint.Folder);
        _health.Set("trainer", HealthLevel.NotReady, "starting");
        HttpOptions http = _settings.Http;
        await using HttpEndpoint? endpoint =
            http.Port < 0 ? null : await HttpEndpoint.StartAsync(http, _loggers, Map, abort).ConfigureAwait(false);
        if (endpoint is not null)
        {
            PipelineLog.Listening(_logger, endpoint.Address);
        }

        using IDisposable sampling = _figures.Start();
        ConnectionMultiplexer redis = await RedisConnection.OpenAsync(_settings.Redis, abort).ConfigureAwait(false);
        _generations = new GenerationList(redis.GetDatabase(), _settings.Redis, _settings.Model.Widths, _time);
        try
        {
            await (
                _ranks.Size > 1 ? RunRankAsync(redis.GetDatabase(), stopping, abort) : RunAloneAsync(redis.GetDatabase(), stopping, abort)
            ).ConfigureAwait(false);
        }
        finally
        {
            RedisConnection.Close(redis);
        }

        return ExitCode.Success;
    }

    /// <summary>The status of the pipeline; empty before there is one. Any thread.</summary>
    public PipelineStatus Status() => _metrics.Status();

    /// <summary>Gets the state of the parts.</summary>
    public HealthReport Health => _health;

    /// <inheritdoc/>
    public void Dispose()
    {
        _telemetry?.Dispose();
        _exposition.Dispose();
        _metrics.Dispose();
        _healthMetrics.Dispose();
        _model.Dispose();
        _rankMetrics.Dispose();
    }

    private void Map(IEndpointRouteBuilder routes)
    {
        OperationsRoutes.Map(routes, _health, _exposition);
        PageRoutes.Map(
            routes,
            new PageSource
            {
                Model = _settings.Redis.Model,
                Pipeline = _metrics.Status,
                Figures = _figures,
                Generations = () => _generations,
            }
        );
    }

    /// <summary>
    /// How long a request to Redis may delay a checkpoint or the shutdown: draining has half of the time, this a part of the rest.
    /// </summary>
    private TimeSpan ShortWait()
    {
        TimeSpan eighth = _settings.Pipeline.ShutdownTimeout / 8;
        return eighth < TimeSpan.FromSeconds(2) ? eighth : TimeSpan.FromSeconds(2);
    }

    private string Owner() =>
        _settings.Pipeline.Owner is { Length: > 0 } owner ? owner : $"{Environment.MachineName}:{Environment.ProcessId}";

    /// <summary>Decides which generation to train; retries while the store is unavailable.</summary>
    /// <returns>False when told to stop meanwhile.</returns>
    private async Task<bool> PlanAsync(IDatabase redis, CancellationToken stopping)
    {
        var pointer = new GenerationSwitch(redis, _settings.Redis, _settings.Model.Widths, _time);
        for (bool told = false; !stopping.IsCancellationRequested; told = true)
        {
            try
            {
                await StoreAccess.CheckAsync(redis, _settings.Redis, _time, stopping).ConfigureAwait(false);
                uint active = await pointer.ActiveAsync(stopping).ConfigureAwait(false);
                _plan = RunPlan.Of(_request, active, _settings.Checkpoint.Folder);
                _settings = _plan.Apply(_settings);
                _isPlanned = true;
                CheckpointFolder.RequireOwn(_settings, _time);
                _health.Set("redis", HealthLevel.Healthy);
                PipelineLog.TrainingGeneration(_logger, _plan.Generation, active);
                return true;
            }
            catch (Exception exception) when (EmbeddingPublisher.IsOutage(exception) && !stopping.IsCancellationRequested)
            {
                string servers = RedisConnection.Servers(_settings.Redis);
                string reason = await RedisConnection.DiagnoseAsync(_settings.Redis, exception, stopping).ConfigureAwait(false);
                _health.Set("redis", HealthLevel.Degraded, $"{servers} unavailable: {reason}");
                if (!told)
                {
                    PipelineLog.PointerUnknown(_logger, servers, reason);
                }

                await Task.Delay(TimeSpan.FromSeconds(1), _time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (Exception exception) when (IsAway(exception) && stopping.IsCancellationRequested)
            {
                // Told to stop meanwhile.
            }
        }

        return false;
    }

    private async Task RunAloneAsync(IDatabase redis, CancellationToken stopping, CancellationToken abort)
    {
        if (await PlanAsync(redis, stopping).ConfigureAwait(false))
        {
            await LeadAndHoldAsync(redis, stopping, abort).ConfigureAwait(false);
        }
    }

    /// <summary>Runs one of many ranks. Rank 0 holds the lease for all; a rank that fails ends all.</summary>
    private async Task RunRankAsync(IDatabase redis, CancellationToken stopping, CancellationToken abort)
    {
        PipelineLog.JoinedRanks(_logger, _ranks.Rank, _ranks.Size);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        var agreement = new JobAgreement(_ranks);
        agreement.RequireEqualSettings(_settings);
        using var ended = new CancellationTokenSource();
        string beats = RedisKeys.RanksOf(_settings.Redis.Model, agreement.Number());
        var watchdog = new RankWatchdog(_ranks, _settings.Ranks.Timeout, redis, beats, _time, _logger);
        Task watching = watchdog.RunAsync(() => _pipeline?.AreRanksRunning == true, ended.Token);
        try
        {
            await RunRankAsync(agreement, redis, stop, abort).ConfigureAwait(false);
        }
        finally
        {
            await ended.CancelAsync().ConfigureAwait(false);
            await watching.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task RunRankAsync(JobAgreement agreement, IDatabase redis, CancellationTokenSource stop, CancellationToken abort)
    {
        _health.Set("trainer", HealthLevel.NotReady, "waiting for rank 0");
        if (_ranks.Rank > 0)
        {
            var never = new TaskCompletionSource<JobStart?>();
            if (await agreement.WaitAsync(never.Task, stop).ConfigureAwait(false) is { } start)
            {
                _plan = start.Plan;
                _settings = _plan.Apply(_settings);
                _isPlanned = true;
                await LiveAsync(null, start.Token, redis, null, stop.Token, abort).ConfigureAwait(false);
            }
            else
            {
                PipelineLog.JobNotBegun(_logger);
            }

            return;
        }

        TrainerLease? lease = null;
        try
        {
            Task<JobStart?> begin = BeginAsync(redis, made => lease = made, stop.Token);
            if (await agreement.WaitAsync(begin, stop).ConfigureAwait(false) is not null)
            {
                await HoldAsync(lease!, redis, stop.Token, abort).ConfigureAwait(false);
            }
        }
        finally
        {
            lease?.Dispose();
        }
    }

    /// <summary>On rank 0: plans, and waits for the lease.</summary>
    /// <returns>What all ranks begin with; null: told to stop before.</returns>
    private async Task<JobStart?> BeginAsync(IDatabase redis, Action<TrainerLease> made, CancellationToken stopping)
    {
        if (!await PlanAsync(redis, stopping).ConfigureAwait(false))
        {
            return null;
        }

        var lease = new TrainerLease(redis, _settings.Redis, Owner(), _time, _plan.Generation, OnLeaseTrouble);
        made(lease);
        try
        {
            await LeadAsync(lease, stopping).ConfigureAwait(false);
            return new JobStart(_plan, lease.Token);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            return null;
        }
    }

    private async Task LeadAndHoldAsync(IDatabase redis, CancellationToken stopping, CancellationToken abort)
    {
        using var lease = new TrainerLease(redis, _settings.Redis, Owner(), _time, _plan.Generation, OnLeaseTrouble);
        try
        {
            await LeadAsync(lease, stopping).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            return;
        }

        await HoldAsync(lease, redis, stopping, abort).ConfigureAwait(false);
    }

    private void OnLeaseTrouble(Exception? exception)
    {
        string model = _settings.Redis.Model;
        _health.Set(
            "lease",
            exception is null ? HealthLevel.Healthy : HealthLevel.Degraded,
            exception is null ? string.Empty : $"cannot be acquired or renewed: {RedisConnection.FirstWords(exception.Message)}"
        );
        if (exception is null)
        {
            PipelineLog.LeaseKnown(_logger, model);
        }
        else
        {
            PipelineLog.LeaseUnknown(_logger, model, RedisConnection.FirstWords(exception.Message));
        }
    }

    private async Task LeadAsync(TrainerLease lease, CancellationToken stopping)
    {
        string model = _settings.Redis.Model;
        _health.Set("trainer", HealthLevel.NotReady, "waiting for the lease");
        Task acquiring = lease.AcquireAsync(floor: 0, stopping);
        if (await Task.WhenAny(acquiring, Task.Delay(TimeSpan.FromSeconds(1), _time, stopping)).ConfigureAwait(false) != acquiring)
        {
            PipelineLog.StandingBy(_logger, model);
        }

        await acquiring.ConfigureAwait(false);
        await RiseAboveCheckpointsAsync(lease, stopping).ConfigureAwait(false);
        PipelineLog.Leading(_logger, model, lease.Token);
    }

    /// <summary>A store that has lost its counter may issue a token that is not greater than those of the checkpoints.</summary>
    private async Task RiseAboveCheckpointsAsync(TrainerLease lease, CancellationToken stopping)
    {
        CheckpointOptions keep = _settings.Checkpoint;
        if (
            keep.Folder.Length > 0
            && new CheckpointStore(keep.Folder, keep.Keep, _time, static _ => { }).NewestToken is var newest
            && newest >= lease.Token
        )
        {
            await lease.AcquireAsync(newest, stopping).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Whether a checkpoint may be written. In doubt Redis is asked. While it is unavailable, no other worker can have taken the lease
    /// there; should one have taken it elsewhere, the greater token of its checkpoints wins.
    /// </summary>
    private bool MayKeep(TrainerLease lease)
    {
        if (lease.Certain || lease.Lost.IsCancellationRequested)
        {
            return !lease.Lost.IsCancellationRequested;
        }

        using var limit = new CancellationTokenSource(ShortWait(), _time);
        try
        {
            return lease.RenewAsync(limit.Token).GetAwaiter().GetResult();
        }
        catch (Exception exception) when (IsAway(exception))
        {
            return !lease.Lost.IsCancellationRequested;
        }
    }

    private static bool IsAway(Exception exception) => exception is OperationCanceledException || EmbeddingPublisher.IsOutage(exception);

    /// <summary>Runs the pipeline while the lease is held; losing it stops the pipeline at once.</summary>
    private async Task HoldAsync(TrainerLease lease, IDatabase redis, CancellationToken stopping, CancellationToken abort)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(abort, lease.Lost);
        try
        {
            await TrainAsync(lease, redis, stopping, either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (lease.Lost.IsCancellationRequested)
        {
            throw new LeaseLostException(_settings.Redis.Model);
        }
        catch (Exception)
        {
            _health.Set("trainer", HealthLevel.Failed, "see the log");
            throw;
        }
        finally
        {
            await ReleaseAsync(lease).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Runs the pipeline, and again from the last checkpoint after each failure that <see cref="ReturnPolicy"/> allows. Each is a life
    /// of its own, with a greater token: what the previous one published after the checkpoint has greater steps, and must be replaced
    /// all the same.
    /// </summary>
    private async Task TrainAsync(TrainerLease lease, IDatabase redis, CancellationToken stopping, CancellationToken abort)
    {
        PipelineReturn? returned = null;
        while ((returned = await LiveAsync(lease, lease.Token, redis, returned, stopping, abort).ConfigureAwait(false)) is not null)
        {
            abort.ThrowIfCancellationRequested();
            await lease.AcquireAsync(lease.Token, abort).ConfigureAwait(false);
        }
    }

    /// <returns>What the next life has to know; null: the run is over.</returns>
    private async Task<PipelineReturn?> LiveAsync(
        TrainerLease? lease,
        uint token,
        IDatabase redis,
        PipelineReturn? returned,
        CancellationToken stopping,
        CancellationToken abort
    )
    {
        using var ended = new CancellationTokenSource();
        Task keeping = lease?.KeepAsync(ended.Token) ?? Task.CompletedTask;
        try
        {
            var fence = new CheckpointFence(token, () => lease is null || MayKeep(lease));
            using var pipeline = Pipeline.Open(
                _settings,
                _plan,
                redis,
                fence,
                _metrics,
                _health,
                _time,
                _loggers,
                _engines,
                returned,
                MayReturn,
                _ranks,
                stopping
            );
            _pipeline = pipeline;
            _health.Set("trainer", HealthLevel.Healthy);
            try
            {
                await pipeline.RunAsync(stopping, abort).ConfigureAwait(false);
                return null;
            }
            catch (Exception exception) when (MayReturn(exception))
            {
                return pipeline.Leave(_returns.Take(exception));
            }
        }
        finally
        {
            await ended.CancelAsync().ConfigureAwait(false);
            await keeping.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    // Of many ranks none returns by itself: the job ends, and whoever started it starts it again.
    private bool MayReturn(Exception exception) => _ranks.Size == 1 && _returns.Allows(exception);

    /// <summary>Releases the lease, so that a standby need not wait for it to expire.</summary>
    private async Task ReleaseAsync(TrainerLease lease)
    {
        using var limit = new CancellationTokenSource(ShortWait(), _time);
        try
        {
            await lease.ReleaseAsync(limit.Token).ConfigureAwait(false);
        }
        catch (Exception exception) when (IsAway(exception))
        {
            PipelineLog.LeaseNotReleased(_logger, RedisConnection.FirstWords(exception.Message));
        }
    }
}
