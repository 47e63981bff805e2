using System.Globalization;
using Polly;
using StackExchange.Redis;
using Streaming.Core.Embeddings;
using Streaming.Transport.Redis.Layout;

namespace Streaming.Transport.Redis.Generations;

/// <summary>
/// Moves all readers from one generation of embeddings to another at once. A new shape of the model is published beside
/// the old one, in a key space of its own; then the pointer flips; going back is flipping back; the old keys expire.
/// </summary>
public sealed class GenerationSwitch
{
    private const int KeysPerCall = 500;

    private static readonly RedisScript Flip = new("""
        local old = redis.call('GET', KEYS[1])
        if (old or '') ~= ARGV[1] then return old or '' end
        redis.call('SET', KEYS[1], ARGV[2])
        return ARGV[2]
        """);

    private readonly IDatabase _database;
    private readonly RedisOptions _options;
    private readonly int[] _widths;
    private readonly RedisKeys _names;
    private readonly ResiliencePipeline _pipeline;
    private readonly StoreKeys _keys;

    /// <summary>Initializes a new instance of the <see cref="GenerationSwitch"/> class.</summary>
    /// <param name="database">The store.</param>
    /// <param name="options">Model, partitions, layout.</param>
    /// <param name="widths">The nested widths; with a key per width each has to be there.</param>
    /// <param name="clock">Time.</param>
    public GenerationSwitch(IDatabase database, RedisOptions options, IReadOnlyList<int> widths, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(database);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(widths);
        options.Validate();
        _database = database;
        _options = options;
        _widths = [.. widths];
        _names = new RedisKeys(options.Model, options.Partitions);
        _pipeline = RedisPipeline.Create(options, clock);
        _keys = new StoreKeys(database, options, _pipeline);
    }

    /// <summary>Reads the pointer.</summary>
    /// <returns>The generation that readers use, 0 when nothing was published yet.</returns>
    public async Task<uint> ActiveAsync(CancellationToken cancellationToken = default)
    {
        RedisValue value = await ExecuteAsync(() => _database.StringGetAsync(_names.Active), cancellationToken).ConfigureAwait(false);
        return value.IsNull ? 0 : uint.Parse((string)value!, NumberStyles.None, CultureInfo.InvariantCulture);
    }

    /// <summary>Counts which of the catalogue's items a generation holds.</summary>
    /// <param name="generation">The generation.</param>
    /// <param name="ids">Every item that should be there, each once.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<GenerationCheck> CheckAsync(uint generation, IReadOnlyList<string> ids, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(ids);
        long present = long.MaxValue;
        foreach (ItemKeySpace space in await SpacesAsync(generation, cancellationToken).ConfigureAwait(false))
        {
            long[] counts = await Task.WhenAll(Calls(space, ids).Select(async keys => (long)await ExecuteAsync(
                () => _database.ExecuteAsync("EXISTS", keys), cancellationToken).ConfigureAwait(false))).ConfigureAwait(false);
            present = Math.Min(present, counts.Sum());
        }

        return new GenerationCheck(ids.Count, present);
    }

    /// <summary>Points readers to <paramref name="next"/>, if they are at <paramref name="current"/>; rolling back is the same
    /// with the two the other way round. Check the new one first (<see cref="CheckAsync"/>, and its recall against the old).</summary>
    /// <param name="current">The generation that the caller believes to be active, 0 for none: two that switch at a time do not
    /// undo each other.</param>
    /// <param name="next">The generation to switch to.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Whether <paramref name="next"/> is active now.</returns>
    public async Task<bool> FlipAsync(uint current, uint next, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfZero(next);
        string expected = current == 0 ? string.Empty : current.ToString(CultureInfo.InvariantCulture);
        string wanted = next.ToString(CultureInfo.InvariantCulture);
        RedisResult active = await ExecuteAsync(() => Flip.RunAsync(_database, [_names.Active], [expected, wanted]), cancellationToken).ConfigureAwait(false);
        return (string?)active == wanted;
    }

    /// <summary>Lets the keys of a generation that is no longer read expire.</summary>
    /// <param name="generation">The old generation.</param>
    /// <param name="ids">Its items.</param>
    /// <param name="keepFor">How long it can still be rolled back to, above 0.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="InvalidOperationException">It is the active one.</exception>
    public async Task RetireAsync(uint generation, IReadOnlyList<string> ids, TimeSpan keepFor, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(ids);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(keepFor, TimeSpan.Zero);
        if (await ActiveAsync(cancellationToken).ConfigureAwait(false) == generation)
        {
            throw new InvalidOperationException($"Generation {generation} is the active one; flip to another first.");
        }

        foreach (ItemKeySpace space in await SpacesAsync(generation, cancellationToken).ConfigureAwait(false))
        {
            foreach (string[] part in ids.Chunk(KeysPerCall))
            {
                await ExecuteAsync(
                    () => Task.WhenAll(part.SelectMany<string, RedisKey>(id => [space.Key(id), space.Keys.Related(generation, RedisKeys.Hash(id))]).Select(key => _database.KeyExpireAsync(key, keepFor))),
                    cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Finds the items of a generation by SCAN over every server: for people and at switches, not for a hot path.</summary>
    /// <returns>Their ids, each once.</returns>
    /// <exception cref="RedisException">Redis could not be asked.</exception>
    /// <exception cref="KeyLayoutException">The model has another number of partitions in Redis.</exception>
    public async Task<IReadOnlyList<string>> ListAsync(uint generation, CancellationToken cancellationToken = default)
    {
        ItemKeySpace space = (await SpacesAsync(generation, cancellationToken).ConfigureAwait(false))[^1];
        var ids = new HashSet<string>(StringComparer.Ordinal);
        foreach (IServer server in _database.Multiplexer.GetServers().Where(server => server.IsConnected))
        {
            await foreach (RedisKey key in server.KeysAsync(_database.Database, space.ScanPattern, pageSize: 1000).WithCancellation(cancellationToken).ConfigureAwait(false))
            {
                if (space.TryGetId((byte[])key!, out string id))
                {
                    ids.Add(id);
                }
            }
        }

        return [.. ids];
    }

    private async Task<IReadOnlyList<ItemKeySpace>> SpacesAsync(uint generation, CancellationToken cancellationToken)
    {
        RedisKeys keys = await _keys.GetAsync(write: false, cancellationToken).ConfigureAwait(false);
        return _options.Layout == EmbeddingKeyLayout.Nested ? [keys.Items(generation)] : [.. _widths.Select(width => keys.Items(generation, width))];
    }

    private static IEnumerable<object[]> Calls(ItemKeySpace space, IReadOnlyList<string> ids) => ids
        .GroupBy(space.Keys.Partition)
        .SelectMany(part => part.Chunk(KeysPerCall), (part, chunk) => Array.ConvertAll<string, object>(chunk, id => (RedisKey)space.Key(part.Key, id)));

    private async Task<T> ExecuteAsync<T>(Func<Task<T>> call, CancellationToken cancellationToken) =>
        await _pipeline.ExecuteAsync(async token => await call().WaitAsync(token).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
}
