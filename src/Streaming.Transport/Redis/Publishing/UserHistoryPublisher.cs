using Polly;
using Polly.CircuitBreaker;
using StackExchange.Redis;
using Streaming.Core.Embeddings;
using Streaming.Core.Histories;
using Streaming.Transport.Redis.Layout;

namespace Streaming.Transport.Redis.Publishing;

/// <summary>Publishes users' recent items, from which the serving tier computes user vectors. A history never replaces one that is
/// further along, and an old trainer is refused. Not thread-safe.</summary>
public sealed class UserHistoryPublisher
{
    /// <summary>Keys per call: a script blocks the whole server.</summary>
    private const int UsersPerCall = 256;

    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(5);

    private readonly IDatabase _database;
    private readonly RedisOptions _options;
    private readonly TimeProvider _time;
    private readonly uint _generation;
    private readonly Action<PublishIncident> _incident;
    private readonly ResiliencePipeline _pipeline;
    private readonly StoreKeys _keys;
    private readonly ValuePool _pool = new(HistoryFeed.UsersPerBatch);
    private readonly OncePerMinute _wrongType;

    /// <summary>Initializes a new instance of the <see cref="UserHistoryPublisher"/> class.</summary>
    /// <param name="database">The store.</param>
    /// <param name="options">Keys, times, limits.</param>
    /// <param name="time">Clock.</param>
    /// <param name="incident">Called when a problem starts and ends.</param>
    /// <param name="generation">The generation whose trainer writes; all generations share the histories.</param>
    public UserHistoryPublisher(
        IDatabase database,
        RedisOptions options,
        TimeProvider time,
        Action<PublishIncident>? incident = null,
        uint generation = 1
    )
    {
        ArgumentNullException.ThrowIfNull(database);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(time);
        options.Validate();
        _database = database;
        _options = options;
        _time = time;
        _generation = generation;
        Metrics = new PublishMetrics(time);
        _wrongType = new OncePerMinute(time);
        _incident = incident ?? (static _ => { });
        _pipeline = RedisPipeline.Create(options, time);
        _keys = new StoreKeys(database, options, _pipeline);
    }

    /// <summary>Gets the counters, in users.</summary>
    public PublishMetrics Metrics { get; }

    /// <summary>Publishes the contents of a feed until it is completed and empty. Histories that Redis does not take are retried
    /// indefinitely; newer ones wait in the feed meanwhile.</summary>
    /// <param name="feed">The changed histories.</param>
    /// <param name="token">Fencing token of the trainer; an <see cref="EmbeddingPublisher"/> has raised the fences to it.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
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

    /// <summary>Replaces histories, including those that are further along, and deletes empty ones: after a return to a checkpoint
    /// the store holds events that the model has not seen. Retries until Redis takes them.</summary>
    /// <param name="batches">The histories.</param>
    /// <param name="token">Fencing token acquired after the return, greater than the one before.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="FencedException">A newer trainer has taken over.</exception>
    public async Task ReplaceAsync(IReadOnlyList<UserHistoryBatch> batches, uint token, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(batches);
        foreach (UserHistoryBatch batch in batches)
        {
            await PublishUntilTakenAsync(batch, token, replace: true, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Publishes histories, all partitions concurrently. Idempotent.</summary>
    /// <returns>How many users were written, skipped because the store is as far or further along, and not taken by Redis.</returns>
    /// <exception cref="FencedException">A newer trainer has taken over.</exception>
    public Task<PublishCounts> PublishAsync(UserHistoryBatch batch, uint token, CancellationToken cancellationToken = default) =>
        PublishAsync(batch, token, replace: false, cancellationToken);

    private async Task PublishUntilTakenAsync(UserHistoryBatch batch, uint token, bool replace, CancellationToken cancellationToken)
    {
        TimeSpan wait = _options.RetryDelay;
        while (await PublishAsync(batch, token, replace, cancellationToken).ConfigureAwait(false) is { Failed: > 0 })
        {
            await Task.Delay(wait, _time, cancellationToken).ConfigureAwait(false);
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
        catch (Exception error)
            when ((error is FormatException || EmbeddingPublisher.IsOutage(error)) && !cancellationToken.IsCancellationRequested)
        {
            return Account([(error, new PublishCounts(0, 0, 0, 0, batch.Count))]);
        }

        return Account(
            await Task.WhenAll(Plan(batch, keys).Select(users => WriteAsync(batch, keys, users, token, replace, cancellationToken)))
                .ConfigureAwait(false)
        );
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

    /// <summary>Groups users of one partition into calls.</summary>
    private static List<int[]> Plan(UserHistoryBatch batch, RedisKeys keys) =>
        [
            .. Enumerable
                .Range(0, batch.Count)
                .GroupBy(user => keys.Partition(batch.Users[user]))
                .SelectMany(static users => users.Chunk(UsersPerCall)),
        ];

    private async Task<(Exception? Error, PublishCounts Counts)> WriteAsync(
        UserHistoryBatch batch,
        RedisKeys keys,
        int[] users,
        uint token,
        bool replace,
        CancellationToken cancellationToken
    )
    {
        RedisKey[] names =
        [
            keys.Fence(keys.Partition(batch.Users[users[0]])),
            .. users.Select(user => (RedisKey)keys.User(batch.Users[user])),
        ];
        byte[][] values = Array.ConvertAll(users, user => batch.ItemsOf(user).IsEmpty ? [] : Encode(batch, user));
        RedisValue[] arguments =
        [
            (long)token,
            (long)_options.UserTimeToLive.TotalMilliseconds,
            (long)_generation,
            replace ? 1 : 0,
            .. values.Select(value => (RedisValue)value),
        ];
        try
        {
            RedisResult answer = await _pipeline
                .ExecuteAsync(
                    async stop =>
                        await PublishScripts.WriteUsers.RunAsync(_database, names, arguments).WaitAsync(stop).ConfigureAwait(false),
                    cancellationToken
                )
                .ConfigureAwait(false);
            var parts = (RedisResult[])answer!;
            switch ((int)parts[0])
            {
                case PublishScripts.StatusFenced:
                    throw new FencedException(token, (uint)(long)parts[1]);
                case PublishScripts.StatusEmpty:
                    // The embedding publisher raises the fences again and reports that everything must be republished.
                    return (null, new PublishCounts(0, 0, 0, 0, users.Length));
                default:
                    Recycle(values);
                    RecordFreshness(batch, users);
                    int skipped = (int)parts[1],
                        blocked = parts.Length - 2;
                    if (blocked > 0 && _wrongType.IsDue())
                    {
                        _incident(
                            new(
                                PublishIncidentKind.WrongType,
                                $"{names[1 + (int)parts[2]]} is not a string and was not written; delete it, or move whatever writes it.",
                                blocked
                            )
                        );
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
        long now = _time.GetUtcNow().ToUnixTimeMilliseconds();
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

            // Reported once: the embeddings have the same problem.
            if (Metrics.SetDegraded(error))
            {
                _incident(
                    new(PublishIncidentKind.Failed, "Failed to write user histories to Redis; they are queued.", counts.Failed, error)
                );
            }
        }
        else if (counts.Written + counts.Skipped > 0 && Metrics.SetHealthy())
        {
            _incident(new(PublishIncidentKind.Recovered, "Redis accepts writes of histories again.", counts.Written + counts.Skipped));
        }
    }
}
