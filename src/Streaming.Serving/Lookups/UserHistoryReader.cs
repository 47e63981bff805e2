using StackExchange.Redis;
using Streaming.Core.Embeddings;

namespace Streaming.Serving.Lookups;

/// <summary>Reads users' recent items. Thread-safe.</summary>
public sealed class UserHistoryReader
{
    private readonly IDatabase _database;
    private readonly ReadPipeline _pipeline;
    private readonly StoreView _view;

    /// <summary>Initializes a new instance of the <see cref="UserHistoryReader"/> class.</summary>
    /// <exception cref="ArgumentException">An option is invalid.</exception>
    public UserHistoryReader(IDatabase database, ServingOptions options, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(database);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(time);
        options.Validate();
        _database = database;
        _pipeline = new ReadPipeline(options, time);
        _view = new StoreView(database, options, time, _pipeline);
    }

    /// <summary>Reads the newest items of a user.</summary>
    /// <param name="user">The user's id.</param>
    /// <param name="items">Receives the hashes of the newest items' ids that fit (<see cref="RedisKeys.Hash"/>), oldest first.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    /// <returns>The number of items written; 0 for an unknown user.</returns>
    /// <exception cref="EmbeddingFormatException">The value of the key is not a history.</exception>
    /// <exception cref="KeyLayoutException">The model has a different number of partitions in Redis than in the options.</exception>
    /// <exception cref="RedisException">Redis could not be read.</exception>
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
            : throw new EmbeddingFormatException(fault, $"{fault}: the {bytes.Length} bytes of the user's history were rejected.");
    }
}
