using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;
using Streaming.Core.Generations;
using Streaming.Core.Items;
using Streaming.Learning.Training;
using Streaming.Transport.Redis;
using Streaming.Transport.Redis.Access;
using Streaming.Transport.Redis.Generations;
using Streaming.Transport.Redis.Publishing;
using Streaming.Worker.Generations;

namespace Streaming.Worker.Stages;

/// <summary>
/// Publishes the user towers and the record of a generation at an interval, and moves the readers to the generation once it passes the
/// checks. The training thread offers snapshots; this stage writes the newest one.
/// </summary>
internal sealed class GenerationStage
{
    /// <summary>Limit of the rate at which towers are published, whatever the interval: those of a wide model are many megabytes.</summary>
    private const double MostBytesPerSecond = 1 << 20;

    private static readonly TimeSpan RecordInterval = TimeSpan.FromSeconds(10);

    private readonly GenerationPublisher _publisher;
    private readonly GenerationSwitch _switch;
    private readonly GenerationOptions _options;
    private readonly ModelVersion _version;
    private readonly IReadOnlyList<AttributeDefinition> _attributes;
    private readonly TimeSpan _towerInterval;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Channel<ModelSnapshot> _snapshots = Channel.CreateBounded<ModelSnapshot>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest }
    );
    private TimeSpan _wait;
    private long _last;
    private bool _begun;
    private volatile bool _waiting;
    private bool? _switched;
    private string _objection = string.Empty;
    private string _problem = string.Empty;

    /// <summary>Creates the stage.</summary>
    /// <param name="redis">The store.</param>
    /// <param name="options">Where the model is stored, and how often towers are published.</param>
    /// <param name="switching">When readers are moved.</param>
    /// <param name="widths">The model's widths.</param>
    /// <param name="attributes">The attributes that items have.</param>
    /// <param name="plan">The generation, and whether readers still use another.</param>
    /// <param name="token">Fencing token of this life.</param>
    /// <param name="time">Clock.</param>
    /// <param name="logger">Log.</param>
    public GenerationStage(
        IDatabase redis,
        RedisOptions options,
        GenerationOptions switching,
        IReadOnlyList<int> widths,
        IReadOnlyList<AttributeDefinition> attributes,
        RunPlan plan,
        uint token,
        TimeProvider time,
        ILogger logger
    )
    {
        _publisher = new GenerationPublisher(redis, options, time);
        _switch = new GenerationSwitch(redis, options, widths, time);
        _attributes = attributes;
        _options = switching;
        _waiting = plan.IsNext && switching.Switch == GenerationSwitching.Auto;
        _version = new ModelVersion(plan.Generation, token, 0);
        _towerInterval = options.TowerInterval;
        _time = time;
        _logger = logger;
    }

    /// <summary>Gets why Redis rejects record and towers, in its words; empty: it does not. Any thread.</summary>
    public string Problem => Volatile.Read(ref _problem);

    /// <summary>Takes a snapshot if one is due. Called on the training thread, between two steps.</summary>
    /// <param name="trainer">The trainer.</param>
    /// <param name="last">Takes one in any case: training has ended.</param>
    public void Offer(Trainer trainer, bool last = false)
    {
        if (_begun && !last && _time.GetElapsedTime(_last) < _wait)
        {
            return;
        }

        _begun = true;
        _last = _time.GetTimestamp();
        var snapshot = ModelSnapshot.Of(trainer, _version, _attributes, _towerInterval > TimeSpan.Zero, _waiting && !last, _time);
        var atLeast = TimeSpan.FromSeconds(snapshot.Towers.Values.Sum(static file => (long)file.Length) / MostBytesPerSecond);
        _wait =
            _towerInterval == TimeSpan.Zero ? RecordInterval
            : _towerInterval > atLeast ? _towerInterval
            : atLeast;
        _snapshots.Writer.TryWrite(snapshot);
        if (last)
        {
            _snapshots.Writer.Complete();
        }
    }

    /// <summary>Publishes until the last snapshot. While the store is unavailable, snapshots are skipped: the next one follows
    /// soon.</summary>
    /// <exception cref="FencedException">A newer trainer has taken over.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await foreach (ModelSnapshot snapshot in _snapshots.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
        {
            try
            {
                await PublishAsync(snapshot, cancellationToken).ConfigureAwait(false);
                Volatile.Write(ref _problem, string.Empty);
            }
            catch (Exception exception) when (exception is StoreRefusedException || EmbeddingPublisher.IsOutage(exception))
            {
                Tell(exception);
            }
        }
    }

    /// <summary>The embedding publisher reports an unavailable store; a store that answers and refuses is reported here.</summary>
    private void Tell(Exception exception)
    {
        string problem = exception is StoreRefusedException or RedisServerException
            ? $"record and towers are not published: {RedisConnection.FirstWords(exception.Message)}"
            : string.Empty;
        if (problem.Length == 0 || problem != _problem)
        {
            PipelineLog.TowersNotPublished(_logger, RedisConnection.FirstWords(exception.Message));
        }

        Volatile.Write(ref _problem, problem);
    }

    private async Task PublishAsync(ModelSnapshot snapshot, CancellationToken cancellationToken)
    {
        _switched ??= await WasSwitchedAsync(cancellationToken).ConfigureAwait(false);
        await _publisher
            .PublishAsync(snapshot.Record with { Switched = _switched.Value }, snapshot.Towers, cancellationToken)
            .ConfigureAwait(false);
        if (_waiting && snapshot.Ids is { } ids)
        {
            await TrySwitchAsync(snapshot.Record, ids, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>If an earlier life moved the readers and somebody has moved them back since, they stay there.</summary>
    private async Task<bool> WasSwitchedAsync(CancellationToken cancellationToken)
    {
        bool was = await ReadAsync(_version.Generation, cancellationToken).ConfigureAwait(false) is { Switched: true };
        _waiting &= !was;
        return was;
    }

    private async Task TrySwitchAsync(GenerationRecord record, IReadOnlyList<string> ids, CancellationToken cancellationToken)
    {
        uint active = await _switch.ActiveAsync(cancellationToken).ConfigureAwait(false);
        if (active >= record.Generation)
        {
            _waiting = false;
            return;
        }

        GenerationCheck count = await _switch.CheckAsync(record.Generation, ids, cancellationToken).ConfigureAwait(false);
        string objection =
            active == 0 && count.IsComplete
                ? string.Empty
                : GenerationChecks.Objection(record, await ReadAsync(active, cancellationToken).ConfigureAwait(false), count, _options);
        if (objection.Length > 0)
        {
            Tell(record.Generation, objection);
        }
        else if (await _switch.FlipAsync(active, record.Generation, cancellationToken).ConfigureAwait(false))
        {
            PipelineLog.Switched(_logger, active, record.Generation, record.Items, record.Recall);
            _waiting = false;
            _switched = true;
            await _publisher.PublishAsync(record with { Switched = true }, [], cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<GenerationRecord?> ReadAsync(uint generation, CancellationToken cancellationToken)
    {
        try
        {
            return await _publisher.ReadAsync(generation, cancellationToken).ConfigureAwait(false);
        }
        catch (FormatException)
        {
            return null;
        }
    }

    /// <summary>Once per reason: its numbers change at every check.</summary>
    private void Tell(uint generation, string objection)
    {
        string kind = string.Concat(objection.Where(static c => !char.IsAsciiDigit(c)));
        if (kind != _objection)
        {
            _objection = kind;
            PipelineLog.NotSwitched(_logger, generation, objection);
        }
    }
}
