using Polly;
using StackExchange.Redis;
using Streaming.Core;

namespace Streaming.Transport;

/// <summary>Writes what users did last, so that the serving tier can compute their vectors. Safe for several callers.</summary>
public sealed class UserHistoryPublisher
{
    private readonly IDatabase _database;
    private readonly RedisOptions _options;
    private readonly RedisKeys _keys;
    private readonly ResiliencePipeline _pipeline;

    /// <summary>Initializes a new instance of the <see cref="UserHistoryPublisher"/> class.</summary>
    public UserHistoryPublisher(IDatabase database, RedisOptions options, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(database);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _database = database;
        _options = options;
        _keys = new RedisKeys(options.Model, options.Partitions);
        _pipeline = RedisPipeline.Create(options, clock);
    }

    /// <summary>Writes histories; the whole batch is tried again on trouble, which does no harm.</summary>
    /// <exception cref="RedisException">Redis did not take them.</exception>
    public async Task PublishAsync(IReadOnlyList<UserHistory> histories, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(histories);
        (RedisKey Key, byte[] Value)[] values = [.. histories.Select(history => ((RedisKey)_keys.User(history.UserKey), Encode(history)))];
        TimeSpan? life = _options.TimeToLive == TimeSpan.Zero ? null : _options.TimeToLive;
        await _pipeline.ExecuteAsync(
            async token => await Task.WhenAll(values.Select(pair => _database.StringSetAsync(pair.Key, pair.Value, life, When.Always)))
                .WaitAsync(token).ConfigureAwait(false),
            cancellationToken).ConfigureAwait(false);
    }

    private static byte[] Encode(UserHistory history)
    {
        byte[] value = new byte[UserHistoryValue.Length(history.Items.Length)];
        UserHistoryValue.Encode(history.Items.Span, value);
        return value;
    }
}
