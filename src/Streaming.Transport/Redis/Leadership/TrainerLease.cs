using Polly;
using StackExchange.Redis;
using Streaming.Core.Embeddings;
using Streaming.Transport.Redis.Access;
using Streaming.Transport.Redis.Publishing;

namespace Streaming.Transport.Redis.Leadership;

/// <summary>
/// The exclusive right to train and publish a model, held by one process at a time, with a fencing token that only grows
/// (Kleppmann, "How to do distributed locking", 2016). The lease alone cannot stop a process that resumes after a freeze;
/// the token does, because every publish checks it inside Redis.
/// </summary>
public sealed class TrainerLease : IDisposable
{
    private readonly IDatabase _database;
    private readonly RedisOptions _options;
    private readonly string _owner;
    private readonly TimeProvider _time;
    private readonly RedisKey[] _keys;
    private readonly ResiliencePipeline _pipeline;
    private readonly CancellationTokenSource _lost = new();
    private readonly Action<Exception?> _trouble;
    private Exception? _error;
    private bool _answered;
    private long _renewedAt;

    /// <summary>Initializes a new instance of the <see cref="TrainerLease"/> class.</summary>
    /// <param name="database">The store.</param>
    /// <param name="options">Model and lease duration.</param>
    /// <param name="owner">A name that is stable across restarts (the host's or the pod's name), so that a restarted process
    /// need not wait for its own lease to expire. Two processes with one name would take the lease from each other.</param>
    /// <param name="time">Clock for renewals; never compared across machines.</param>
    /// <param name="generation">The generation that the lease is for.</param>
    /// <param name="trouble">Called once with the reason when the lease cannot be acquired or renewed, and with null when it can
    /// again.</param>
    public TrainerLease(
        IDatabase database,
        RedisOptions options,
        string owner,
        TimeProvider time,
        uint generation = 1,
        Action<Exception?>? trouble = null
    )
    {
        ArgumentNullException.ThrowIfNull(database);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentException.ThrowIfNullOrWhiteSpace(owner);
        ArgumentNullException.ThrowIfNull(time);
        options.Validate();
        RedisKeys keys = new(options.Model, options.Partitions);
        _database = database;
        _options = options;
        _owner = owner;
        _trouble = trouble ?? (static _ => { });
        _time = time;
        _keys = [keys.LeaseHolder(generation), keys.LeaseToken(generation)];
        _pipeline = RedisPipeline.Create(options, time);
        Lost = _lost.Token;
    }

    /// <summary>Gets the fencing token, 0 if the lease was never held.</summary>
    public uint Token { get; private set; }

    /// <summary>Gets a token that is cancelled when another process acquires the lease.</summary>
    public CancellationToken Lost { get; }

    /// <summary>Gets a value indicating whether the lease is certainly held: renewed within its duration. It becomes false while
    /// Redis is unavailable, although nobody else can hold the lease then; defer work outside Redis that only the holder may do.</summary>
    public bool Certain =>
        Token != 0 && !Lost.IsCancellationRequested && _time.GetElapsedTime(Volatile.Read(ref _renewedAt)) < _options.LeaseDuration;

    private TimeSpan RenewInterval => _options.LeaseDuration / 3;

    private long Milliseconds => (long)_options.LeaseDuration.TotalMilliseconds;

    /// <summary>Tries once to acquire the lease.</summary>
    /// <param name="floor">The token of the checkpoint to resume from, 0 if there is none; the new token is greater.</param>
    /// <param name="cancellationToken">Cancels the attempt.</param>
    public async Task<LeaseAttempt> TryAcquireAsync(uint floor, CancellationToken cancellationToken = default)
    {
        if (_lost.IsCancellationRequested)
        {
            throw new InvalidOperationException("The lease was lost; restart from the checkpoint.");
        }

        long asked = _time.GetTimestamp();
        var answer = (RedisResult[])
            (
                await RunAsync(LeaseScripts.Acquire, _keys, [_owner, Milliseconds, (long)Math.Max(floor, Token)], cancellationToken)
                    .ConfigureAwait(false)
            )!;
        _answered = true;
        if ((int)answer[0] == 0)
        {
            string holder = (string)answer[2]!;
            return new LeaseAttempt(
                false,
                TimeSpan.FromMilliseconds(Math.Max(0, (long)answer[1])),
                holder[(holder.IndexOf(' ', StringComparison.Ordinal) + 1)..]
            );
        }

        Token = checked((uint)(long)answer[1]);
        Volatile.Write(ref _renewedAt, asked);
        return new LeaseAttempt(true, TimeSpan.Zero, string.Empty);
    }

    /// <summary>Waits for the lease, including while Redis is unavailable or refuses to answer.</summary>
    /// <param name="floor">As in <see cref="TryAcquireAsync"/>.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="StoreRefusedException">Redis refuses the first request for a permanent reason.</exception>
    public async Task AcquireAsync(uint floor, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            TimeSpan wait = RenewInterval;
            try
            {
                LeaseAttempt attempt = await TryAcquireAsync(floor, cancellationToken).ConfigureAwait(false);
                Tell(null);
                if (attempt.Acquired)
                {
                    return;
                }

                wait = attempt.Remaining < wait ? attempt.Remaining + TimeSpan.FromMilliseconds(5) : wait;
            }
            catch (RedisServerException error) when (!_answered && !RedisPipeline.IsTrouble(error))
            {
                throw RedisPipeline.IsWrongType(error)
                    ? StoreAccess.WrongType($"{_keys[0]}' or '{_keys[1]}", error)
                    : StoreAccess.Refused(_options, $"{_keys[0]}, {_keys[1]}: {error.Message}", error);
            }
            catch (Exception error) when (EmbeddingPublisher.IsOutage(error) && !cancellationToken.IsCancellationRequested)
            {
                // Nobody can acquire the lease without Redis: keep asking.
                Tell(error);
            }

            await Task.Delay(wait, _time, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Renews the lease three times per duration until cancelled or until it is lost.</summary>
    /// <param name="cancellationToken">Stops renewing; the lease then expires unless it is released.</param>
    /// <returns>When the lease is lost; <see cref="Lost"/> is then cancelled.</returns>
    /// <exception cref="OperationCanceledException">The caller cancelled.</exception>
    public async Task KeepAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            await Task.Delay(RenewInterval, _time, cancellationToken).ConfigureAwait(false);
            try
            {
                bool held = await RenewAsync(cancellationToken).ConfigureAwait(false);
                Tell(null);
                if (!held)
                {
                    await _lost.CancelAsync().ConfigureAwait(false);
                    return;
                }
            }
            catch (Exception error) when (EmbeddingPublisher.IsOutage(error) && !cancellationToken.IsCancellationRequested)
            {
                // Redis is unavailable, or refuses for now (an ACL is being changed). Only an explicit "no" means
                // that the lease is lost, so ask again.
                Tell(error);
            }
        }
    }

    /// <summary>Renews once.</summary>
    /// <returns>False if another process has acquired the lease.</returns>
    public async Task<bool> RenewAsync(CancellationToken cancellationToken = default)
    {
        long asked = _time.GetTimestamp();
        bool held =
            (int)await RunAsync(LeaseScripts.Renew, _keys, [_owner, Milliseconds, (long)Token], cancellationToken).ConfigureAwait(false)
            == 1;
        if (held)
        {
            Volatile.Write(ref _renewedAt, asked);
        }

        return held;
    }

    /// <summary>Releases the lease, so that a standby need not wait.</summary>
    /// <returns>False if it was no longer held.</returns>
    public async Task<bool> ReleaseAsync(CancellationToken cancellationToken = default) =>
        (int)await RunAsync(LeaseScripts.Release, [_keys[0]], [_owner, (long)Token], cancellationToken).ConfigureAwait(false) == 1;

    /// <inheritdoc/>
    public void Dispose() => _lost.Dispose();

    private void Tell(Exception? error)
    {
        bool change = (error is null) != (_error is null);
        _error = error;
        if (change)
        {
            _trouble(error);
        }
    }

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
}
