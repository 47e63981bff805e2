using System.Runtime.InteropServices;
using Polly;
using Polly.CircuitBreaker;
using StackExchange.Redis;
using Streaming.Core;

namespace Streaming.Transport;

/// <summary>
/// Writes fresh embeddings to Redis: newer wins, an old trainer is refused, a failed write waits and is tried again,
/// and readers see a whole value or the one before. For one caller at a time.
/// </summary>
public sealed class EmbeddingPublisher
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(5);

    private readonly IDatabase _database;
    private readonly RedisOptions _options;
    private readonly int[] _widths;
    private readonly TimeProvider _clock;
    private readonly Action<PublishIncident> _incident;
    private readonly RedisKeys _keys;
    private readonly ResiliencePipeline _pipeline;
    private readonly ValuePool _pool;
    private BatchEncoder? _encoder;

    /// <summary>Initializes a new instance of the <see cref="EmbeddingPublisher"/> class.</summary>
    /// <param name="database">The store.</param>
    /// <param name="options">Keys, bytes, limits.</param>
    /// <param name="widths">The nested widths, increasing; the last is the dimension of the vectors.</param>
    /// <param name="clock">Time.</param>
    /// <param name="incident">Told of trouble and of its end. On <see cref="PublishIncidentKind.StoreEmpty"/> the trainer has to
    /// post every item again.</param>
    public EmbeddingPublisher(IDatabase database, RedisOptions options, IReadOnlyList<int> widths, TimeProvider clock, Action<PublishIncident>? incident = null)
    {
        ArgumentNullException.ThrowIfNull(database);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(widths);
        ArgumentNullException.ThrowIfNull(clock);
        options.Validate();
        _database = database;
        _options = options;
        _widths = [.. widths];
        _clock = clock;
        _incident = incident ?? (static _ => { });
        _keys = new RedisKeys(options.Model, options.Partitions);
        _pipeline = RedisPipeline.Create(options, clock);
        _pool = new ValuePool(options.BatchSize * (options.Layout == EmbeddingKeyLayout.Nested ? 1 : widths.Count));
    }

    /// <summary>Gets the counters.</summary>
    public PublishMetrics Metrics { get; } = new();

    /// <summary>Gets a value indicating whether a store without a pointer to a generation gets this one. Default true; false
    /// for a generation that readers are still to be moved to.</summary>
    public bool ClaimsPointer { get; init; } = true;

    /// <summary>Gets the generation that is written, 0 before <see cref="OpenAsync"/>.</summary>
    public uint Generation { get; private set; }

    /// <summary>Gets the fencing token, 0 before <see cref="OpenAsync"/>.</summary>
    public uint Token { get; private set; }

    /// <summary>Whether an error says that Redis cannot take writes now, and may later.</summary>
    public static bool IsOutage(Exception error) => error is RedisException || RedisPipeline.IsTrouble(error);

    /// <summary>
    /// Raises the fence of every partition to <paramref name="token"/>, so that from then on an older trainer is refused
    /// everywhere. A store without a pointer to a generation gets this one, unless <see cref="ClaimsPointer"/> says no.
    /// </summary>
    /// <param name="generation">The generation to write, 1 and up.</param>
    /// <param name="token">The token of the lease, 1 and up.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="FencedException">A newer trainer was here.</exception>
    public async Task<StoreState> OpenAsync(uint generation, uint token, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfZero(generation);
        ArgumentOutOfRangeException.ThrowIfZero(token);
        RedisValue[] arguments = [(long)token, (long)generation];
        RedisResult[] answers = await Task.WhenAll(Enumerable.Range(0, _options.Partitions).Select(partition =>
            RunAsync(PublishScripts.Raise, [_keys.Fence(partition)], arguments, cancellationToken))).ConfigureAwait(false);
        bool empty = false;
        foreach (RedisResult[] answer in answers.Select(answer => (RedisResult[])answer!))
        {
            int status = (int)answer[0];
            if (status == PublishScripts.StatusFenced)
            {
                throw new FencedException(token, (uint)(long)answer[1]);
            }

            empty |= status == PublishScripts.StatusEmpty;
        }

        if (ClaimsPointer)
        {
            await _pipeline.ExecuteAsync(
                async token => await _database.StringSetAsync(_keys.Active, (long)generation, when: When.NotExists).WaitAsync(token).ConfigureAwait(false),
                cancellationToken).ConfigureAwait(false);
        }

        Generation = generation;
        Token = token;
        _encoder = new BatchEncoder(_options, _keys, _widths, generation, token);
        return empty ? StoreState.Empty : StoreState.Kept;
    }

    /// <summary>Publishes what comes into an outbox until it is completed and empty. What Redis does not take goes back
    /// and is tried again, for as long as that lasts.</summary>
    /// <exception cref="FencedException">A newer trainer has taken over. What was taken is back in the outbox.</exception>
    public async Task RunAsync(RefreshOutbox outbox, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(outbox);
        List<Refresh> batch = new(_options.BatchSize);
        List<Refresh> failed = [];
        TimeSpan wait = _options.RetryDelay;
        while (await outbox.TakeAsync(batch, _options.BatchSize, cancellationToken).ConfigureAwait(false))
        {
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
            wait = failed.Count == 0 ? _options.RetryDelay : Shorter(wait * 2, LongestWait);
            if (failed.Count > 0)
            {
                outbox.PutBack(CollectionsMarshal.AsSpan(failed));
                failed.Clear();
                await Task.Delay(wait, _clock, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Publishes a batch, every partition at the same time.</summary>
    /// <param name="batch">Refreshes, each of another item.</param>
    /// <param name="failed">Receives those that Redis did not take; the caller tries them again.</param>
    /// <param name="cancellationToken">Gives up; what was sent may still take effect, which does no harm.</param>
    /// <exception cref="FencedException">A newer trainer has taken over.</exception>
    /// <exception cref="InvalidOperationException"><see cref="OpenAsync"/> was not called.</exception>
    public async Task<PublishCounts> PublishAsync(List<Refresh> batch, List<Refresh> failed, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(batch);
        ArgumentNullException.ThrowIfNull(failed);
        BatchEncoder encoder = _encoder ?? throw new InvalidOperationException("The publisher is not open: call OpenAsync with the lease's token first.");
        List<PartitionWrite> calls = [];
        int rejected = encoder.Encode(CollectionsMarshal.AsSpan(batch), _pool, calls);
        WriteOutcome[] outcomes = await Task.WhenAll(calls.Select(call => WriteAsync(call, cancellationToken))).ConfigureAwait(false);
        if (outcomes.Any(outcome => outcome.StoreEmpty))
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

        Metrics.Add(counts);
        Report(counts, outcomes);
        return counts;
    }

    private static TimeSpan Shorter(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private async Task<RedisResult> RunAsync(RedisScript script, RedisKey[] keys, RedisValue[] arguments, CancellationToken cancellationToken) =>
        await _pipeline.ExecuteAsync(
            async token => await script.RunAsync(_database, keys, arguments).WaitAsync(token).ConfigureAwait(false),
            cancellationToken).ConfigureAwait(false);

    /// <summary>One script call; trouble comes back as an outcome, so that other partitions are not held up by it.</summary>
    private async Task<WriteOutcome> WriteAsync(PartitionWrite call, CancellationToken cancellationToken)
    {
        long started = _clock.GetTimestamp();
        try
        {
            RedisResult answer = await RunAsync(PublishScripts.Write, call.Keys, call.Arguments, cancellationToken).ConfigureAwait(false);
            RedisResult[] parts = (RedisResult[])answer!;
            switch ((int)parts[0])
            {
                case PublishScripts.StatusFenced:
                    throw new FencedException(Token, (uint)(long)parts[1]);
                case PublishScripts.StatusEmpty:
                    return new WriteOutcome(new(0, 0, 0, 0, call.Items.Length), null, StoreEmpty: true);
                default:
                    Metrics.WriteTime.Record(_clock.GetElapsedTime(started));
                    return new WriteOutcome(Count(call, parts), null, StoreEmpty: false);
            }
        }
        catch (Exception error) when (error is not FencedException && !cancellationToken.IsCancellationRequested)
        {
            return new WriteOutcome(new(0, 0, 0, 0, call.Items.Length), error, StoreEmpty: false);
        }
    }

    private PublishCounts Count(PartitionWrite call, RedisResult[] answer)
    {
        Span<bool> skipped = call.Items.Length <= 256 ? stackalloc bool[call.Items.Length] : new bool[call.Items.Length];
        skipped.Clear();
        call.MarkSkipped(answer, 2, skipped);
        int skips = skipped.Count(true);
        int removed = (int)answer[1];
        long now = _clock.GetUtcNow().ToUnixTimeMilliseconds();
        for (int i = 0; i < skipped.Length; i++)
        {
            if (!skipped[i] && call.Items[i].ProducedTime > 0)
            {
                Metrics.Freshness.Record(TimeSpan.FromMilliseconds(now - call.Items[i].ProducedTime));
            }
        }

        return new PublishCounts(skipped.Length - skips - removed, removed, skips, 0, 0);
    }

    /// <summary>The store was emptied under us: plant the fences again, say so, and write what was refused.</summary>
    private async Task<WriteOutcome[]> RefillAsync(List<PartitionWrite> calls, WriteOutcome[] outcomes, CancellationToken cancellationToken)
    {
        try
        {
            await OpenAsync(Generation, Token, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (error is not FencedException && !cancellationToken.IsCancellationRequested)
        {
            return [.. outcomes.Select(outcome => outcome.StoreEmpty ? outcome with { Error = error } : outcome)];
        }

        _incident(new PublishIncident(PublishIncidentKind.StoreEmpty, "Redis has lost what was in it; every item has to be published again.", 0));
        return await Task.WhenAll(calls.Zip(outcomes, (call, outcome) =>
            outcome.StoreEmpty ? WriteAsync(call, cancellationToken) : Task.FromResult(outcome))).ConfigureAwait(false);
    }

    private void Report(PublishCounts counts, WriteOutcome[] outcomes)
    {
        if (counts.Rejected > 0)
        {
            _incident(new(PublishIncidentKind.Rejected, "Vectors that are not finite, too large or of a wrong length were left out.", counts.Rejected));
        }

        if (counts.Failed > 0)
        {
            // The call that the breaker let through says what is wrong; those that it held back do not.
            Exception? error = outcomes.Select(outcome => outcome.Error).Where(error => error is not null).MinBy(error => error is BrokenCircuitException);
            bool memory = error is not null && RedisPipeline.IsOutOfMemory(error);
            Metrics.SetDegraded(true);
            _incident(memory
                ? new(PublishIncidentKind.OutOfMemory, "Redis is out of memory; the items wait.", counts.Failed, error)
                : new(PublishIncidentKind.Failed, "Redis did not take the items; they wait.", counts.Failed, error));
        }
        else if (outcomes.Length > 0 && Metrics.SetDegraded(false))
        {
            _incident(new(PublishIncidentKind.Recovered, "Redis takes items again.", counts.Written));
        }
    }

    private readonly record struct WriteOutcome(PublishCounts Counts, Exception? Error, bool StoreEmpty);
}
