using Polly;
using Polly.CircuitBreaker;
using StackExchange.Redis;
using Streaming.Core.Embeddings;
using Streaming.Core.Histories;
using Streaming.Transport.Redis.Layout;

namespace Streaming.Transport.Redis.Publishing;

/// <summary>Writes what users did last, so that the serving tier can compute their vectors: a history that has come further is
/// never replaced by one that has not, and an old trainer is refused. For one caller at a time.</summary>
public sealed class UserHistoryPublisher
{
    /// <summary>Keys of one call: a script holds up the whole server.</summary>
    private const int UsersPerCall = 256;

    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(5);

    private readonly IDatabase _database;
    private readonly RedisOptions _options;
    private readonly TimeProvider _clock;
    private readonly uint _generation;
    private readonly Action<PublishIncident> _incident;
    private readonly ResiliencePipeline _pipeline;
    private readonly StoreKeys _keys;
    private readonly ValuePool _pool = new(UsersPerCall);

    /// <summary>Initializes a new instance of the <see cref="UserHistoryPublisher"/> class.</summary>
    /// <param name="database">The store.</param>
    /// <param name="options">Keys, times, limits.</param>
    /// <param name="clock">Time.</param>
    /// <param name="incident">Told of trouble and of its end.</param>
    /// <param name="generation">The generation whose trainer writes; histories are the same for all.</param>
    public UserHistoryPublisher(IDatabase database, RedisOptions options, TimeProvider clock, Action<PublishIncident>? incident = null, uint generation = 1)
    {
        ArgumentNullException.ThrowIfNull(database);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(clock);
        options.Validate();
        _database = database;
        _options = options;
        _clock = clock;
        _generation = generation;
        Metrics = new PublishMetrics(clock);
        _incident = incident ?? (static _ => { });
        _pipeline = RedisPipeline.Create(options, clock);
        _keys = new StoreKeys(database, options, _pipeline);
    }

    /// <summary>Gets the counters, in users.</summary>
    public PublishMetrics Metrics { get; }

    /// <summary>Publishes what comes out of a feed until it is completed and empty. What Redis does not take is tried again, for
    /// as long as that lasts; newer histories wait in the feed meanwhile.</summary>
    /// <param name="feed">The changed histories.</param>
    /// <param name="token">Fencing token of the trainer, whose fences an <see cref="EmbeddingPublisher"/> has raised.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="FencedException">A newer trainer has taken over.</exception>
    public async Task RunAsync(HistoryFeed feed, uint token, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(feed);
        while (await feed.TakeAsync(cancellationToken).ConfigureAwait(false) is { } batch)
        {
            await PublishUntilTakenAsync(batch, token, replace: false, cancellationToken).ConfigureAwait(false);
            feed.Return(batch);
        }
    }

    /// <summary>Replaces histories, also those that have come further, and deletes those without items: after a return to a checkpoint
    /// the store holds events that the model has not. Tries again for as long as Redis does not take them.</summary>
    /// <param name="batches">The histories.</param>
    /// <param name="token">Fencing token of the life that has returned, greater than that of the one before.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="FencedException">A newer trainer has taken over.</exception>
    public async Task ReplaceAsync(IReadOnlyList<UserHistoryBatch> batches, uint token, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(batches);
        foreach (UserHistoryBatch batch in batches)
        {
            await PublishUntilTakenAsync(batch, token, replace: true, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Publishes histories, every partition at the same time. To do it again does no harm.</summary>
    /// <returns>How many users were written, skipped because the store holds the same or more of them, and not taken by Redis.</returns>
    /// <exception cref="FencedException">A newer trainer has taken over.</exception>
    public Task<PublishCounts> PublishAsync(UserHistoryBatch batch, uint token, CancellationToken cancellationToken = default) =>
        PublishAsync(batch, token, replace: false, cancellationToken);

    private async Task PublishUntilTakenAsync(UserHistoryBatch batch, uint token, bool replace, CancellationToken cancellationToken)
    {
        TimeSpan wait = _options.RetryDelay;
        while (await PublishAsync(batch, token, replace, cancellationToken).ConfigureAwait(false) is { Failed: > 0 })
        {
            await Task.Delay(wait, _clock, cancellationToken).ConfigureAwait(false);
            wait = wait * 2 < LongestWait ? wait * 2 : LongestWait;
        }
    }

    private async Task<PublishCounts> PublishAsync(UserHistoryBatch batch, uint token, bool replace, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(batch);
        ArgumentOutOfRangeException.ThrowIfZero(token);
        RedisKeys keys;
        try
        {
            keys = await _keys.GetAsync(write: true, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when ((error is FormatException || EmbeddingPublisher.IsOutage(error)) && !cancellationToken.IsCancellationRequested)
        {
            return Account([(error, new PublishCounts(0, 0, 0, 0, batch.Count))]);
        }

        return Account(await Task.WhenAll(Plan(batch, keys).Select(users => WriteAsync(batch, keys, users, token, replace, cancellationToken))).ConfigureAwait(false));
    }

    private PublishCounts Account((Exception? Error, PublishCounts Counts)[] outcomes)
    {
        PublishCounts counts = default;
        foreach ((_, PublishCounts part) in outcomes)
        {
            counts += part;
        }

        Report(counts, outcomes.Select(outcome => outcome.Error));
        Metrics.Add(counts);
        return counts;
    }

    /// <summary>Users of one partition and call together.</summary>
    private static List<int[]> Plan(UserHistoryBatch batch, RedisKeys keys) =>
    [
        .. Enumerable.Range(0, batch.Count).GroupBy(user => keys.Partition(batch.Users[user])).SelectMany(static users => users.Chunk(UsersPerCall)),
    ];

    private async Task<(Exception? Error, PublishCounts Counts)> WriteAsync(UserHistoryBatch batch, RedisKeys keys, int[] users, uint token, bool replace, CancellationToken cancellationToken)
    {
        RedisKey[] names = [keys.Fence(keys.Partition(batch.Users[users[0]])), .. users.Select(user => (RedisKey)keys.User(batch.Users[user]))];
        byte[][] values = Array.ConvertAll(users, user => batch.ItemsOf(user).IsEmpty ? [] : Encode(batch, user));
        RedisValue[] arguments = [(long)token, (long)_options.UserTimeToLive.TotalMilliseconds, (long)_generation, replace ? 1 : 0, .. values.Select(value => (RedisValue)value)];
        try
        {
            RedisResult answer = await _pipeline.ExecuteAsync(
                async stop => await PublishScripts.WriteUsers.RunAsync(_database, names, arguments).WaitAsync(stop).ConfigureAwait(false),
                cancellationToken).ConfigureAwait(false);
            RedisResult[] parts = (RedisResult[])answer!;
            switch ((int)parts[0])
            {
                case PublishScripts.StatusFenced:
                    throw new FencedException(token, (uint)(long)parts[1]);
                case PublishScripts.StatusEmpty:
                    // The embeddings' publisher raises the fences anew, and says that everything is to be published again.
                    return (null, new PublishCounts(0, 0, 0, 0, users.Length));
                default:
                    Recycle(values);
                    RecordFreshness(batch, users);
                    int skipped = (int)parts[1], blocked = parts.Length - 2;
                    if (blocked > 0)
                    {
                        _incident(new(PublishIncidentKind.WrongType, $"{names[1 + (int)parts[2]]} is of another type than a string and was left alone; delete it, or move what writes it.", blocked));
                    }

                    return (null, new PublishCounts(users.Length - skipped - blocked, 0, skipped, blocked, 0));
            }
        }
        catch (Exception error) when (error is not FencedException && !cancellationToken.IsCancellationRequested)
        {
            return (error, new PublishCounts(0, 0, 0, 0, users.Length));
        }
    }

    private byte[] Encode(UserHistoryBatch batch, int user)
    {
        ReadOnlySpan<ulong> items = batch.ItemsOf(user);
        byte[] value;
        lock (_pool)
        {
            value = _pool.Rent(UserHistoryValue.Length(items.Length));
        }

        UserHistoryValue.Encode(items, batch.Ages[user], value);
        return value;
    }

    /// <summary>Only after an answer: until then the client may still be sending them.</summary>
    private void Recycle(byte[][] values)
    {
        lock (_pool)
        {
            foreach (byte[] value in values.Where(static value => value.Length > 0))
            {
                _pool.Return(value);
            }
        }
    }

    private void RecordFreshness(UserHistoryBatch batch, int[] users)
    {
        long now = _clock.GetUtcNow().ToUnixTimeMilliseconds();
        foreach (int user in users)
        {
            if (batch.ProducedTimes[user] > 0)
            {
                Metrics.RecordFreshness(TimeSpan.FromMilliseconds(Math.Max(0, now - batch.ProducedTimes[user])));
            }
        }
    }

    private void Report(in PublishCounts counts, IEnumerable<Exception?> errors)
    {
        if (counts.Failed > 0)
        {
            Exception? error = errors.Where(error => error is not null).MinBy(error => error is BrokenCircuitException);

            // Said once: it is the same trouble that the embeddings have.
            if (Metrics.SetDegraded(error))
            {
                _incident(new(PublishIncidentKind.Failed, "Redis did not take the histories of users; they wait.", counts.Failed, error));
            }
        }
        else if (counts.Written + counts.Skipped > 0 && Metrics.SetHealthy())
        {
            _incident(new(PublishIncidentKind.Recovered, "Redis takes histories again.", counts.Written + counts.Skipped));
        }
    }
}
