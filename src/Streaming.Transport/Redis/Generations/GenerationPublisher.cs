using Polly;
using StackExchange.Redis;
using Streaming.Core.Embeddings;
using Streaming.Core.Generations;
using Streaming.Transport.Redis.Access;
using Streaming.Transport.Redis.Publishing;

namespace Streaming.Transport.Redis.Generations;

/// <summary>
/// Publishes the user towers of a generation, then its record, so that a reader of the record finds towers at least as new.
/// Refuses an older trainer. Thread-safe.
/// </summary>
public sealed class GenerationPublisher
{
    // Records and model files contain the token within their first 256 bytes.
    private static readonly RedisScript Replace = new(
        """
        local token = string.match(redis.call('GETRANGE', KEYS[1], 0, 255), '"token":"?(%d+)')
        if token and tonumber(token) > tonumber(ARGV[2]) then return token end
        if ARGV[3] == '0' then
          redis.call('SET', KEYS[1], ARGV[1])
        else
          redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])
        end
        return '0'
        """
    );

    private readonly IDatabase _database;
    private readonly RedisKeys _keys;
    private readonly TimeSpan _timeToLive;
    private readonly ResiliencePipeline _pipeline;

    /// <summary>Initializes a new instance of the <see cref="GenerationPublisher"/> class.</summary>
    public GenerationPublisher(IDatabase database, RedisOptions options, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(database);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _database = database;
        _keys = new RedisKeys(options.Model, options.Partitions);
        _timeToLive = options.TimeToLive;
        _pipeline = RedisPipeline.Create(options, time);
    }

    /// <summary>Writes the towers, then the record.</summary>
    /// <param name="record">The record; its token is the trainer's.</param>
    /// <param name="towers">The user tower at each width, as model files; may be empty.</param>
    /// <param name="cancellationToken">Cancels the write.</param>
    /// <exception cref="FencedException">A newer trainer has taken over.</exception>
    /// <exception cref="StoreRefusedException">A key is of another type: names it.</exception>
    public async Task PublishAsync(
        GenerationRecord record,
        IEnumerable<KeyValuePair<int, byte[]>> towers,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(record);
        ArgumentNullException.ThrowIfNull(towers);
        foreach ((int width, byte[] file) in towers)
        {
            await WriteAsync(_keys.Tower(record.Generation, width), file, record.Token, cancellationToken).ConfigureAwait(false);
        }

        await WriteAsync(_keys.Generation(record.Generation), record.ToJson(), record.Token, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Reads the record of a generation.</summary>
    /// <returns>Null if there is none.</returns>
    /// <exception cref="FormatException">The stored value is not a record.</exception>
    public async Task<GenerationRecord?> ReadAsync(uint generation, CancellationToken cancellationToken = default)
    {
        RedisValue value = await _pipeline
            .ExecuteAsync(
                async token => await _database.StringGetAsync(_keys.Generation(generation)).WaitAsync(token).ConfigureAwait(false),
                cancellationToken
            )
            .ConfigureAwait(false);
        return value.IsNull ? null : GenerationRecord.Parse((byte[])value!);
    }

    private async Task WriteAsync(string key, byte[] value, uint token, CancellationToken cancellationToken)
    {
        RedisValue[] arguments = [value, (long)token, (long)_timeToLive.TotalMilliseconds];
        RedisResult newer;
        try
        {
            newer = await _pipeline
                .ExecuteAsync(
                    async stop => await Replace.RunAsync(_database, [key], arguments).WaitAsync(stop).ConfigureAwait(false),
                    cancellationToken
                )
                .ConfigureAwait(false);
        }
        catch (RedisServerException error) when (RedisPipeline.IsWrongType(error))
        {
            throw StoreAccess.WrongType(key, error);
        }

        if ((string?)newer != "0")
        {
            throw new FencedException(token, uint.Parse((string)newer!, System.Globalization.CultureInfo.InvariantCulture));
        }
    }
}
