using StackExchange.Redis;
using Streaming.Core.Embeddings;

namespace Streaming.Serving.Lookups;

/// <summary>Reads what users did last. Safe for any number of callers at a time.</summary>
public sealed class UserHistoryReader
{
    private readonly IDatabase _database;
    private readonly ReadPipeline _pipeline;
    private readonly StoreView _view;

    /// <summary>Initializes a new instance of the <see cref="UserHistoryReader"/> class.</summary>
    /// <exception cref="ArgumentException">An option is wrong.</exception>
    public UserHistoryReader(IDatabase database, ServingOptions options, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(database);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(clock);
        options.Validate();
        _database = database;
        _pipeline = new ReadPipeline(options, clock);
        _view = new StoreView(database, options, clock, _pipeline);
    }

    /// <summary>Reads the newest items of a user.</summary>
    /// <param name="user">The user's id.</param>
    /// <param name="items">Receives hashes of items' ids (<see cref="RedisKeys.Hash"/>), oldest first: the newest that fit.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>How many were written; 0 for an unknown user.</returns>
    /// <exception cref="EmbeddingFormatException">The bytes under the key are not a history.</exception>
    /// <exception cref="KeyLayoutException">The model has another number of partitions in Redis than the options.</exception>
    /// <exception cref="RedisException">Redis could not be asked.</exception>
    /// <exception cref="TimeoutException">Redis did not answer in time.</exception>
    public async Task<int> ReadAsync(string user, Memory<ulong> items, CancellationToken cancellationToken = default)
    {
        RedisKey key = (await _view.ReadAsync(cancellationToken).ConfigureAwait(false)).Keys.User(RedisKeys.Hash(user));
        RedisValue value = await _pipeline.RunAsync(() => _database.StringGetAsync(key), cancellationToken).ConfigureAwait(false);
        if (value.IsNull)
        {
            return 0;
        }

        byte[] bytes = (byte[])value!;
        EmbeddingFault fault = UserHistoryValue.TryDecode(bytes, items.Span, out int count, out _);
        return fault == EmbeddingFault.None
            ? count
            : throw new EmbeddingFormatException(fault, $"{fault}: the {bytes.Length} bytes of the user's history were refused.");
    }
}
