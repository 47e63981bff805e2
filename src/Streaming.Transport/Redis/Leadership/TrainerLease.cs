using Polly;
using StackExchange.Redis;
using Streaming.Core.Embeddings;
using Streaming.Transport.Redis.Access;
using Streaming.Transport.Redis.Publishing;

namespace Streaming.Transport.Redis.Leadership;

/// <summary>
/// The right to train and publish a model, held by one process at a time, with a fencing token that only grows
/// (Kleppmann, "How to do distributed locking", 2016). The lease alone cannot stop a process that was frozen and comes back;
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
    /// <param name="owner">A name of this process's place, the same after a restart (the host's name, the pod's): its restarted
    /// self need not wait for its own lease to end. Two processes of one name would take it from each other.</param>
    /// <param name="time">Time between renewals; never compared across machines.</param>
    /// <param name="generation">The generation that it is for.</param>
    /// <param name="trouble">Told why the lease cannot be asked for or renewed, once; and null when it can again.</param>
    public TrainerLease(IDatabase database, RedisOptions options, string owner, TimeProvider time, uint generation = 1, Action<Exception?>? trouble = null)
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

    /// <summary>Gets the fencing token, 0 while the lease was never held.</summary>
    public uint Token { get; private set; }

    /// <summary>Gets a token that is cancelled once another process has taken the lease.</summary>
    public CancellationToken Lost { get; }

    /// <summary>Gets a value indicating whether the lease is held beyond doubt: renewed within its duration. While Redis is away
    /// it turns false, though nobody else may hold it either; what only the holder may do outside of Redis should wait.</summary>
    public bool Certain =>
        Token != 0 && !Lost.IsCancellationRequested && _time.GetElapsedTime(Volatile.Read(ref _renewedAt)) < _options.LeaseDuration;

    private TimeSpan RenewInterval => _options.LeaseDuration / 3;

    private long Milliseconds => (long)_options.LeaseDuration.TotalMilliseconds;

    /// <summary>Asks for the lease once.</summary>
    /// <param name="floor">The token of the checkpoint that is resumed from, 0 when there is none: the new one is greater.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<LeaseAttempt> TryAcquireAsync(uint floor, CancellationToken cancellationToken = default)
    {
        if (_lost.IsCancellationRequested)
        {
            throw new InvalidOperationException("The lease was lost; a process that has lost it starts anew, from the checkpoint.");
        }

        long asked = _time.GetTimestamp();
        RedisResult[] answer = (RedisResult[])(await RunAsync(
            LeaseScripts.Acquire, _keys, [_owner, Milliseconds, (long)Math.Max(floor, Token)], cancellationToken).ConfigureAwait(false))!;
        _answered = true;
        if ((int)answer[0] == 0)
        {
            string holder = (string)answer[2]!;
            return new LeaseAttempt(false, TimeSpan.FromMilliseconds(Math.Max(0, (long)answer[1])), holder[(holder.IndexOf(' ', StringComparison.Ordinal) + 1)..]);
        }

        Token = checked((uint)(long)answer[1]);
        Volatile.Write(ref _renewedAt, asked);
        return new LeaseAttempt(true, TimeSpan.Zero, string.Empty);
    }

    /// <summary>Waits for the lease, also while Redis is away or refuses to answer.</summary>
    /// <param name="floor">As in <see cref="TryAcquireAsync"/>.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="StoreRefusedException">Redis refuses the first question, for a reason that does not pass.</exception>
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
                throw StoreAccess.Refused(_options, $"{_keys[0]}, {_keys[1]}: {error.Message}", error);
            }
            catch (Exception error) when (EmbeddingPublisher.IsOutage(error) && !cancellationToken.IsCancellationRequested)
            {
                // Nobody can hold the lease without Redis, and only Redis can say who does: asking goes on.
                Tell(error);
            }

            await Task.Delay(wait, _time, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Renews the lease, three times in its duration, until told to stop or until it is lost.</summary>
    /// <param name="cancellationToken">Stops renewing; the lease then runs out unless it is released.</param>
    /// <returns>When the lease is lost; <see cref="Lost"/> is cancelled then.</returns>
    /// <exception cref="OperationCanceledException">It was told to stop.</exception>
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
                // Redis is away, or refuses to answer for now (an access list that is being changed). Only its "no" means
                // that the lease is lost, so this is asked again.
                Tell(error);
            }
        }
    }

    /// <summary>Renews once.</summary>
    /// <returns>False when another process has taken the lease.</returns>
    public async Task<bool> RenewAsync(CancellationToken cancellationToken = default)
    {
        long asked = _time.GetTimestamp();
        bool held = (int)await RunAsync(LeaseScripts.Renew, _keys, [_owner, Milliseconds, (long)Token], cancellationToken).ConfigureAwait(false) == 1;
        if (held)
        {
            Volatile.Write(ref _renewedAt, asked);
        }

        return held;
    }

    /// <summary>Gives the lease up, so that a standby need not wait.</summary>
    /// <returns>False when it was not held any more.</returns>
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

    private async Task<RedisResult> RunAsync(RedisScript script, RedisKey[] keys, RedisValue[] arguments, CancellationToken cancellationToken) =>
        await _pipeline.ExecuteAsync(
            async token => await script.RunAsync(_database, keys, arguments).WaitAsync(token).ConfigureAwait(false),
            cancellationToken).ConfigureAwait(false);
}
