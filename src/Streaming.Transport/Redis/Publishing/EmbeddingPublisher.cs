using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Polly;
using Polly.CircuitBreaker;
using StackExchange.Redis;
using Streaming.Core.Embeddings;
using Streaming.Core.Refreshes;
using Streaming.Core.Tracing;
using Streaming.Transport.Redis.Access;
using Streaming.Transport.Redis.Layout;

namespace Streaming.Transport.Redis.Publishing;

/// <summary>
/// Writes fresh embeddings to Redis: the newer value wins, an old trainer is refused, a failed write is queued and retried,
/// and readers see either the whole new value or the previous one. Not thread-safe.
/// </summary>
public sealed class EmbeddingPublisher
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(5);
    private static readonly VectorFault[] Faults = Enum.GetValues<VectorFault>();

    private readonly IDatabase _database;
    private readonly RedisOptions _options;
    private readonly int[] _widths;
    private readonly TimeProvider _time;
    private readonly Action<PublishIncident> _incident;
    private readonly ResiliencePipeline _pipeline;
    private readonly StoreKeys _keys;
    private readonly StoreServers _servers;
    private readonly ValuePool _pool;
    private BatchEncoder? _encoder;
    private PartitionFences? _fences;

    /// <summary>Initializes a new instance of the <see cref="EmbeddingPublisher"/> class.</summary>
    /// <param name="database">The store.</param>
    /// <param name="options">Keys, bytes, limits.</param>
    /// <param name="widths">The nested widths, increasing; the last is the dimension of the vectors.</param>
    /// <param name="time">Clock.</param>
    /// <param name="incident">Called when a problem starts and ends. On <see cref="PublishIncidentKind.StoreEmpty"/> and
    /// <see cref="PublishIncidentKind.WritesLost"/> the trainer must post every item again.</param>
    public EmbeddingPublisher(
        IDatabase database,
        RedisOptions options,
        IReadOnlyList<int> widths,
        TimeProvider time,
        Action<PublishIncident>? incident = null
    )
    {
        ArgumentNullException.ThrowIfNull(database);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(widths);
        ArgumentNullException.ThrowIfNull(time);
        options.Validate();
        _database = database;
        _options = options;
        _widths = [.. widths];
        _time = time;
        Metrics = new PublishMetrics(time);
        _incident = incident ?? (static _ => { });
        _pipeline = RedisPipeline.Create(options, time);
        _keys = new StoreKeys(database, options, _pipeline);
        _servers = new StoreServers(database.Multiplexer);
        _pool = new ValuePool(options.BatchSize * (options.Layout == EmbeddingKeyLayout.Nested ? 1 : widths.Count));
    }

    /// <summary>Gets the counters.</summary>
    public PublishMetrics Metrics { get; }

    /// <summary>Gets a value indicating whether to set the pointer in a store that has none. Default true; false
    /// for a generation that readers have yet to switch to.</summary>
    public bool ClaimsPointer { get; init; } = true;

    /// <summary>Gets the share of the time that writing may take while there is nothing but upkeep to write, above 0. Default 1.</summary>
    public double UpkeepShare { get; init; } = 1;

    /// <summary>Gets a value indicating whether an item's facts are written with its embedding. Default false.</summary>
    public bool PublishesFacts { get; init; }

    /// <summary>Gets the items whose next embedding ends a trace. Default null: none.</summary>
    public TracedItems? Traces { get; init; }

    /// <summary>Gets the generation being written, 0 before <see cref="OpenAsync"/>.</summary>
    public uint Generation { get; private set; }

    /// <summary>Gets the fencing token, 0 before <see cref="OpenAsync"/>.</summary>
    public uint Token { get; private set; }

    /// <summary>Whether an error means that Redis cannot take writes for the time being.</summary>
    public static bool IsOutage(Exception error) => error is RedisException || RedisPipeline.IsTrouble(error);

    /// <summary>
    /// Raises the fence of every partition to <paramref name="token"/>, which locks out older trainers
    /// everywhere. Sets the pointer to this generation in a store without one, unless <see cref="ClaimsPointer"/> is false.
    /// If the servers have replicas, one of each must confirm; if none does within 500 ms, the call continues
    /// and reports <see cref="PublishIncidentKind.Unconfirmed"/>: after a failover to a replica without the fences,
    /// an older trainer could write to a partition until this one next writes there and notices.
    /// </summary>
    /// <param name="generation">The generation to write, 1 and up.</param>
    /// <param name="token">The token of the lease, 1 and up.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="FencedException">A newer trainer has taken over.</exception>
    /// <exception cref="KeyLayoutException">The model has a different number of partitions in Redis.</exception>
    public async Task<StoreState> OpenAsync(uint generation, uint token, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfZero(generation);
        ArgumentOutOfRangeException.ThrowIfZero(token);
        RedisKeys keys = await _keys.GetAsync(write: true, cancellationToken).ConfigureAwait(false);

        // The layout record first: a process that finds a fence must also find the record, not infer the layout from half-raised fences.
        await _keys.RestoreAsync(cancellationToken).ConfigureAwait(false);
        PartitionFences fences =
            _fences is { } open && open.Generation == generation && open.Token == token
                ? open
                : new PartitionFences(keys, generation, token);
        _fences = fences;
        await fences.RaiseAsync((script, names, arguments) => RunAsync(script, names, arguments, cancellationToken)).ConfigureAwait(false);
        await RestoreAsync(tell: false, cancellationToken).ConfigureAwait(false);
        await ConfirmAsync(cancellationToken).ConfigureAwait(false);
        Generation = generation;
        Token = token;
        _encoder = new BatchEncoder(_options, keys, _widths, generation, token, PublishesFacts);
        return fences.Found();
    }

    /// <summary>Rewrites the keys by which readers find a model, if deleted: the pointer and the layout record.</summary>
    /// <exception cref="StoreRefusedException">One of them is of another type, or says something else: names it.</exception>
    /// <exception cref="InvalidOperationException"><see cref="OpenAsync"/> was not called.</exception>
    public Task RestoreAsync(CancellationToken cancellationToken = default) => RestoreAsync(tell: true, cancellationToken);

    /// <summary>Publishes the contents of an outbox until it is completed and empty. Items that Redis does not take are put back
    /// and retried indefinitely.</summary>
    /// <exception cref="FencedException">A newer trainer has taken over. Unwritten items are back in the outbox.</exception>
    public async Task RunAsync(RefreshOutbox outbox, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(outbox);
        List<Refresh> batch = new(_options.BatchSize);
        List<Refresh> failed = [];
        TimeSpan wait = _options.RetryDelay;
        Task upkeepFrom = Task.CompletedTask;
        while (await outbox.TakeAsync(batch, _options.BatchSize, upkeepFrom, cancellationToken).ConfigureAwait(false))
        {
            long begun = _time.GetTimestamp();
            double upkeep = (double)batch.Count(static refresh => refresh.IsUpkeep) / batch.Count;
            try
            {
                await PublishAsync(batch, failed, cancellationToken).ConfigureAwait(false);
            }
            catch
            {
                outbox.PutBack(CollectionsMarshal.AsSpan(batch));
                throw;
            }

            batch.Clear();
            if (upkeep > 0 && UpkeepShare < 1)
            {
                upkeepFrom = Task.Delay(_time.GetElapsedTime(begun) * (upkeep * (1 - UpkeepShare) / UpkeepShare), _time, cancellationToken);
            }

            wait = failed.Count == 0 ? _options.RetryDelay : Shorter(wait * 2, LongestWait);
            if (failed.Count > 0)
            {
                outbox.PutBack(CollectionsMarshal.AsSpan(failed));
                failed.Clear();
                await Task.Delay(wait, _time, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Publishes a batch, all partitions concurrently.</summary>
    /// <param name="batch">Refreshes, at most one per item.</param>
    /// <param name="failed">Receives those that Redis did not take, for the caller to retry.</param>
    /// <param name="cancellationToken">Cancels the call; writes already sent may still take effect, harmlessly.</param>
    /// <exception cref="FencedException">A newer trainer has taken over.</exception>
    /// <exception cref="InvalidOperationException"><see cref="OpenAsync"/> was not called.</exception>
    public async Task<PublishCounts> PublishAsync(List<Refresh> batch, List<Refresh> failed, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(batch);
        ArgumentNullException.ThrowIfNull(failed);
        BatchEncoder encoder =
            _encoder ?? throw new InvalidOperationException("The publisher is not open: call OpenAsync with the lease's token first.");
        using Activity? trace = Traces?.StartWrite(batch);
        List<PartitionWrite> calls = [];
        int rejected = encoder.Encode(CollectionsMarshal.AsSpan(batch), _pool, calls, Metrics.Refused);
        WriteOutcome[] outcomes = await Task.WhenAll(calls.Select(call => WriteAsync(call, cancellationToken))).ConfigureAwait(false);
        if (outcomes.Any(outcome => outcome.Loss != StoreState.Kept))
        {
            outcomes = await RefillAsync(calls, outcomes, cancellationToken).ConfigureAwait(false);
        }

        PublishCounts counts = new(0, 0, 0, rejected, 0);
        for (int i = 0; i < calls.Count; i++)
        {
            counts += outcomes[i].Counts;
            if (outcomes[i].Counts.Failed > 0)
            {
                failed.AddRange(calls[i].Items);
            }
            else
            {
                calls[i].Recycle(_pool);
            }
        }

        if (trace is not null)
        {
            trace.SetTag("streaming.written", counts.Written).SetTag("streaming.failed", counts.Failed);
            Traces!.Written(batch, failed);
        }

        Metrics.Add(counts);
        Report(counts, outcomes);
        return counts;
    }

    private static TimeSpan Shorter(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private async Task<RedisResult> RunAsync(
        RedisScript script,
        RedisKey[] keys,
        RedisValue[] arguments,
        CancellationToken cancellationToken
    ) =>
        await _pipeline
            .ExecuteAsync(
                async token => await script.RunAsync(_database, keys, arguments).WaitAsync(token).ConfigureAwait(false),
                cancellationToken
            )
            .ConfigureAwait(false);

    private async Task RestoreAsync(bool tell, CancellationToken cancellationToken)
    {
        PartitionFences fences =
            _fences ?? throw new InvalidOperationException("The publisher is not open: call OpenAsync with the lease's token first.");
        string asked = fences.Keys.LayoutRecord;
        try
        {
            bool layout = await _keys.RestoreAsync(cancellationToken).ConfigureAwait(false);
            asked = fences.Keys.Active;
            bool pointer = await RestorePointerAsync(fences, cancellationToken).ConfigureAwait(false);
            if (tell && (layout || pointer))
            {
                string gone = string.Join(
                    " and ",
                    new[] { pointer ? fences.Keys.Active : null, layout ? fences.Keys.LayoutRecord : null }.OfType<string>()
                );
                _incident(new(PublishIncidentKind.Restored, $"Rewrote {gone}, deleted or evicted from Redis.", 0));
            }
        }
        catch (Exception error) when (error is FormatException || RedisPipeline.IsWrongType(error))
        {
            throw StoreAccess.WrongType(asked, error);
        }
    }

    private async Task<bool> RestorePointerAsync(PartitionFences fences, CancellationToken cancellationToken)
    {
        RedisValue pointer = await _pipeline
            .ExecuteAsync(
                async token => await _database.StringGetAsync(fences.Keys.Active).WaitAsync(token).ConfigureAwait(false),
                cancellationToken
            )
            .ConfigureAwait(false);
        if (!pointer.IsNull)
        {
            return uint.TryParse((string?)pointer, NumberStyles.None, CultureInfo.InvariantCulture, out _)
                ? false
                : throw new FormatException("it is not the number of a generation");
        }

        return ClaimsPointer
            && await _pipeline
                .ExecuteAsync(
                    async token =>
                        await _database
                            .StringSetAsync(fences.Keys.Active, (long)fences.Generation, when: When.NotExists)
                            .WaitAsync(token)
                            .ConfigureAwait(false),
                    cancellationToken
                )
                .ConfigureAwait(false);
    }

    private async Task ConfirmAsync(CancellationToken cancellationToken)
    {
        IReadOnlyList<System.Net.EndPoint> unconfirmed = await _servers.UnconfirmedAsync(cancellationToken).ConfigureAwait(false);
        if (unconfirmed.Count > 0)
        {
            _incident(
                new(
                    PublishIncidentKind.Unconfirmed,
                    $"No replica of {string.Join(", ", unconfirmed)} has confirmed the fences; a failover before one does loses them "
                        + "until the next write.",
                    0
                )
            );
        }
    }

    /// <summary>Makes one script call; returns errors as an outcome, so that they do not delay other partitions.</summary>
    private async Task<WriteOutcome> WriteAsync(PartitionWrite call, CancellationToken cancellationToken)
    {
        long started = _time.GetTimestamp();
        PartitionFences fences = _fences!;
        PublishCounts failed = new(0, 0, 0, 0, call.Items.Length);
        call.Expect(fences.Writes(call.Partition));
        try
        {
            RedisResult answer = await RunAsync(PublishScripts.Write, call.Keys, call.Arguments, cancellationToken).ConfigureAwait(false);
            var parts = (RedisResult[])answer!;
            switch ((int)parts[0])
            {
                case PublishScripts.StatusFenced:
                    throw new FencedException(Token, (uint)(long)parts[1]);
                case PublishScripts.StatusEmpty:
                    return new WriteOutcome(failed, null, StoreState.Empty);
                case PublishScripts.StatusLost:
                    return new WriteOutcome(failed, null, StoreState.WritesLost);
                default:
                    fences.Answered(call.Partition, (long)parts[2]);
                    Metrics.WriteTime.Record(_time.GetElapsedTime(started));
                    return new WriteOutcome(Count(call, parts), null, StoreState.Kept);
            }
        }
        catch (Exception error) when (error is not FencedException && !cancellationToken.IsCancellationRequested)
        {
            return new WriteOutcome(failed, error, StoreState.Kept, RedisPipeline.IsWrongType(error) ? call.Keys[0] : (RedisKey?)null);
        }
    }

    private PublishCounts Count(PartitionWrite call, RedisResult[] answer)
    {
        Span<byte> marks = call.Items.Length <= 256 ? stackalloc byte[call.Items.Length] : new byte[call.Items.Length];
        marks.Clear();
        Dictionary<int, RedisKey>? blocked = call.Mark(answer, 4, marks);
        int skips = marks.Count(PartitionWrite.Skipped);
        int rejected = marks.Count(PartitionWrite.Blocked);
        int removed = (int)answer[1];
        int unchanged = (int)answer[3];
        long now = _time.GetUtcNow().ToUnixTimeMilliseconds();
        for (int i = 0; i < marks.Length; i++)
        {
            if (marks[i] == PartitionWrite.Blocked)
            {
                Metrics.Refused.Add(call.Items[i], VectorFault.WrongType, blocked![i].ToString());
            }
            else
            {
                Metrics.Refused.Remove(call.Items[i].ItemKey);
            }

            if (marks[i] == 0 && call.Items[i].ProducedTime > 0)
            {
                Metrics.RecordFreshness(TimeSpan.FromMilliseconds(now - call.Items[i].ProducedTime));
            }
        }

        return new PublishCounts(marks.Length - skips - rejected - removed - unchanged, removed, skips, rejected, 0)
        {
            Unchanged = unchanged,
        };
    }

    /// <summary>The store has lost data: raises all fences again, reports it, and writes what was refused.</summary>
    private async Task<WriteOutcome[]> RefillAsync(List<PartitionWrite> calls, WriteOutcome[] outcomes, CancellationToken cancellationToken)
    {
        bool emptied = outcomes.Any(outcome => outcome.Loss == StoreState.Empty);
        try
        {
            emptied |= await OpenAsync(Generation, Token, cancellationToken).ConfigureAwait(false) == StoreState.Empty;
        }
        catch (Exception error) when (error is not FencedException && !cancellationToken.IsCancellationRequested)
        {
            return [.. outcomes.Select(outcome => outcome.Loss != StoreState.Kept ? outcome with { Error = error } : outcome)];
        }

        _incident(
            emptied
                ? new(
                    PublishIncidentKind.StoreEmpty,
                    "Redis has lost its data, or the fence of a partition was deleted; republishing every item.",
                    0
                )
                : new(PublishIncidentKind.WritesLost, "A failover of Redis has lost acknowledged writes; republishing every item.", 0)
        );
        return await Task.WhenAll(
                calls.Zip(
                    outcomes,
                    (call, outcome) => outcome.Loss != StoreState.Kept ? WriteAsync(call, cancellationToken) : Task.FromResult(outcome)
                )
            )
            .ConfigureAwait(false);
    }

    private void Report(PublishCounts counts, WriteOutcome[] outcomes)
    {
        ReportRefused();
        if (outcomes.FirstOrDefault(outcome => outcome.Blocked is not null) is { Blocked: { } key } first)
        {
            _incident(
                new(
                    PublishIncidentKind.WrongType,
                    $"{key} (a hash) or the change stream of its partition has the wrong type; delete it, or move whatever writes it.",
                    first.Counts.Failed,
                    first.Error
                )
            );
        }

        if (counts.Failed > 0)
        {
            // Report the error of the call that the breaker let through, not of those it blocked.
            Exception? error = outcomes
                .Select(outcome => outcome.Error)
                .Where(error => error is not null)
                .MinBy(error => error is BrokenCircuitException);
            bool memory = error is not null && RedisPipeline.IsOutOfMemory(error);
            Metrics.SetDegraded(error);
            _incident(
                memory
                    ? new(PublishIncidentKind.OutOfMemory, "Redis is out of memory; the items are queued.", counts.Failed, error)
                    : new(PublishIncidentKind.Failed, "Failed to write items to Redis; they are queued.", counts.Failed, error)
            );
        }
        else if (outcomes.Length > 0 && Metrics.SetHealthy())
        {
            _incident(new(PublishIncidentKind.Recovered, "Redis accepts writes of items again.", counts.Written));
        }
    }

    private void ReportRefused()
    {
        foreach (VectorFault fault in Faults)
        {
            if (Metrics.Refused.IsDue(fault))
            {
                _incident(new(PublishIncidentKind.Rejected, Metrics.Refused.Describe(fault) + ".", Metrics.Refused.Count(fault)));
            }
        }
    }

    private readonly record struct WriteOutcome(PublishCounts Counts, Exception? Error, StoreState Loss, RedisKey? Blocked = null);
}
