using System.Globalization;
using Polly;
using StackExchange.Redis;
using Streaming.Core.Embeddings;
using Streaming.Transport.Redis.Access;
using Streaming.Transport.Redis.Layout;

namespace Streaming.Transport.Redis.Generations;

/// <summary>
/// Switches all readers from one generation of embeddings to another at once. A model of a new shape is published next to
/// the old one under its own keys; then the pointer flips. Rolling back flips it back; the old keys expire.
/// </summary>
public sealed class GenerationSwitch
{
    private const int KeysPerCall = 500;

    private static readonly RedisScript Flip = new(
        """
        local old = redis.call('GET', KEYS[1])
        if (old or '') ~= ARGV[1] then return old or '' end
        redis.call('SET', KEYS[1], ARGV[2])
        return ARGV[2]
        """
    );

    private readonly IDatabase _database;
    private readonly RedisOptions _options;
    private readonly int[] _widths;
    private readonly RedisKeys _names;
    private readonly ResiliencePipeline _pipeline;
    private readonly StoreKeys _keys;

    /// <summary>Initializes a new instance of the <see cref="GenerationSwitch"/> class.</summary>
    /// <param name="database">The store.</param>
    /// <param name="options">Model, partitions, layout.</param>
    /// <param name="widths">The nested widths; with one key per width, each must be present.</param>
    /// <param name="time">Clock.</param>
    public GenerationSwitch(IDatabase database, RedisOptions options, IReadOnlyList<int> widths, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(database);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(widths);
        options.Validate();
        _database = database;
        _options = options;
        _widths = [.. widths];
        _names = new RedisKeys(options.Model, options.Partitions);
        _pipeline = RedisPipeline.Create(options, time);
        _keys = new StoreKeys(database, options, _pipeline);
    }

    /// <summary>Reads the pointer.</summary>
    /// <returns>The generation that readers use, 0 if nothing has been published.</returns>
    /// <exception cref="StoreRefusedException">The pointer is of another type, or not a number: names it.</exception>
    public async Task<uint> ActiveAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            RedisValue value = await ExecuteAsync(() => _database.StringGetAsync(_names.Active), cancellationToken).ConfigureAwait(false);
            return value.IsNull ? 0 : uint.Parse((string)value!, NumberStyles.None, CultureInfo.InvariantCulture);
        }
        catch (Exception error) when (error is FormatException or OverflowException || RedisPipeline.IsWrongType(error))
        {
            throw StoreAccess.WrongType(_names.Active, error);
        }
    }

    /// <summary>Counts how many of the catalogue's items a generation holds.</summary>
    /// <param name="generation">The generation.</param>
    /// <param name="ids">All expected items, without duplicates.</param>
    /// <param name="cancellationToken">Cancels the check.</param>
    public async Task<GenerationCheck> CheckAsync(uint generation, IReadOnlyList<string> ids, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(ids);
        long present = long.MaxValue;
        foreach (ItemKeySpace space in await SpacesAsync(generation, cancellationToken).ConfigureAwait(false))
        {
            long[] counts = await Task.WhenAll(
                    Calls(space, ids)
                        .Select(async keys =>
                            (long)await ExecuteAsync(() => _database.ExecuteAsync("EXISTS", keys), cancellationToken).ConfigureAwait(false)
                        )
                )
                .ConfigureAwait(false);
            present = Math.Min(present, counts.Sum());
        }

        return new GenerationCheck(ids.Count, present);
    }

    /// <summary>Points readers to <paramref name="next"/> if they are at <paramref name="current"/>; to roll back, swap the
    /// two. Check the new generation first (<see cref="CheckAsync"/>, and its recall against the old).</summary>
    /// <param name="current">The generation that the caller believes active, 0 for none, so that two concurrent switches do not
    /// undo each other.</param>
    /// <param name="next">The generation to switch to.</param>
    /// <param name="cancellationToken">Cancels the switch.</param>
    /// <returns>Whether <paramref name="next"/> is now active.</returns>
    public async Task<bool> FlipAsync(uint current, uint next, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfZero(next);
        string expected = current == 0 ? string.Empty : current.ToString(CultureInfo.InvariantCulture);
        string wanted = next.ToString(CultureInfo.InvariantCulture);
        RedisResult active = await ExecuteAsync(() => Flip.RunAsync(_database, [_names.Active], [expected, wanted]), cancellationToken)
            .ConfigureAwait(false);
        return (string?)active == wanted;
    }

    /// <summary>Sets an expiry on the keys of a generation that is no longer read.</summary>
    /// <param name="generation">The old generation.</param>
    /// <param name="ids">Its items.</param>
    /// <param name="keepFor">How long rolling back to it stays possible, above 0.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="InvalidOperationException">The generation is active.</exception>
    public async Task RetireAsync(
        uint generation,
        IReadOnlyList<string> ids,
        TimeSpan keepFor,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(ids);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(keepFor, TimeSpan.Zero);
        if (await ActiveAsync(cancellationToken).ConfigureAwait(false) == generation)
        {
            throw new InvalidOperationException($"Generation {generation} is active; switch to another first.");
        }

        foreach (ItemKeySpace space in await SpacesAsync(generation, cancellationToken).ConfigureAwait(false))
        {
            foreach (string[] part in ids.Chunk(KeysPerCall))
            {
                await ExecuteAsync(
                        () =>
                            Task.WhenAll(
                                part.SelectMany<string, RedisKey>(id => [space.Key(id), space.Keys.Related(generation, RedisKeys.Hash(id))])
                                    .Select(key => _database.KeyExpireAsync(key, keepFor))
                            ),
                        cancellationToken
                    )
                    .ConfigureAwait(false);
            }
        }
    }

    /// <summary>Finds the items of a generation with SCAN on every server: for commands and switches, not for hot paths.</summary>
    /// <returns>Their ids, without duplicates.</returns>
    /// <exception cref="RedisException">Redis does not answer.</exception>
    /// <exception cref="KeyLayoutException">The model has a different number of partitions in Redis.</exception>
    public async Task<IReadOnlyList<string>> ListAsync(uint generation, CancellationToken cancellationToken = default)
    {
        ItemKeySpace space = (await SpacesAsync(generation, cancellationToken).ConfigureAwait(false))[^1];
        var ids = new HashSet<string>(StringComparer.Ordinal);
        foreach (IServer server in _database.Multiplexer.GetServers().Where(server => server.IsConnected))
        {
            await foreach (
                RedisKey key in server
                    .KeysAsync(_database.Database, space.ScanPattern, pageSize: 1000)
                    .WithCancellation(cancellationToken)
                    .ConfigureAwait(false)
            )
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
        RedisKeys keys;
        try
        {
            keys = await _keys.GetAsync(write: false, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (error is FormatException || RedisPipeline.IsWrongType(error))
        {
            throw StoreAccess.WrongType(_names.LayoutRecord, error);
        }

        return _options.Layout == EmbeddingKeyLayout.Nested
            ? [keys.Items(generation)]
            : [.. _widths.Select(width => keys.Items(generation, width))];
    }

    private static IEnumerable<object[]> Calls(ItemKeySpace space, IReadOnlyList<string> ids) =>
        ids.GroupBy(space.Keys.Partition)
            .SelectMany(
                part => part.Chunk(KeysPerCall),
                (part, chunk) => Array.ConvertAll<string, object>(chunk, id => (RedisKey)space.Key(part.Key, id))
            );

    private async Task<T> ExecuteAsync<T>(Func<Task<T>> call, CancellationToken cancellationToken) =>
        await _pipeline
            .ExecuteAsync(async token => await call().WaitAsync(token).ConfigureAwait(false), cancellationToken)
            .ConfigureAwait(false);
}
