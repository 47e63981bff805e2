using Polly;
using StackExchange.Redis;
using Streaming.Core.Embeddings;

namespace Streaming.Transport.Redis.Layout;

/// <summary>
/// The names of a model's keys, by the layout that its store says. A model that has data from before there was a record keeps
/// layout 1; a new one gets the newest, and its record is written. Safe for several callers.
/// </summary>
/// <param name="database">The store.</param>
/// <param name="options">Model and partitions.</param>
/// <param name="pipeline">How calls meet trouble.</param>
internal sealed class StoreKeys(IDatabase database, RedisOptions options, ResiliencePipeline pipeline)
{
    private RedisKeys? _keys;

    /// <summary>Gets the names, asking the store the first time.</summary>
    /// <param name="write">Whether the record is written where there is none.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="KeyLayoutException">The store has another number of partitions.</exception>
    /// <exception cref="FormatException">The record is not one, or newer than this program.</exception>
    public async ValueTask<RedisKeys> GetAsync(bool write, CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref _keys) is { } known)
        {
            return known;
        }

        RedisKeys keys = await ReadAsync(write, cancellationToken).ConfigureAwait(false);
        return Interlocked.CompareExchange(ref _keys, write || await IsRecordedAsync(cancellationToken).ConfigureAwait(false) ? keys : null, null) ?? keys;
    }

    /// <summary>Writes the record again where it was lost, with the layout that is in use here.</summary>
    /// <returns>Whether it was lost.</returns>
    /// <exception cref="KeyLayoutException">Another one is there.</exception>
    public async Task<bool> RestoreAsync(CancellationToken cancellationToken)
    {
        RedisKeys keys = await GetAsync(write: true, cancellationToken).ConfigureAwait(false);
        if (await SetIfAbsentAsync(keys.Layout, cancellationToken).ConfigureAwait(false))
        {
            return true;
        }

        KeyLayout stored = await RecordAsync(cancellationToken).ConfigureAwait(false) ?? keys.Layout;
        return stored == keys.Layout ? false
            : throw new FormatException($"{keys.LayoutRecord} says layout {stored.Version} with {stored.Partitions} partitions; this trainer writes layout {keys.Layout.Version} with {keys.Partitions}. Restart it.");
    }

    private async Task<RedisKeys> ReadAsync(bool write, CancellationToken cancellationToken)
    {
        KeyLayout? layout = await RecordAsync(cancellationToken).ConfigureAwait(false);
        if (layout is null)
        {
            KeyLayout found = await FindAsync(cancellationToken).ConfigureAwait(false);

            // A trainer that has begun meanwhile wrote its record before its first fence.
            found = await RecordAsync(cancellationToken).ConfigureAwait(false) ?? found;
            _ = found.Keys(options.Model, options.Partitions);

            // Another worker may have been first: then its record is what counts.
            layout = !write || await SetIfAbsentAsync(found, cancellationToken).ConfigureAwait(false)
                ? found
                : await RecordAsync(cancellationToken).ConfigureAwait(false) ?? found;
        }

        return layout.Value.Keys(options.Model, options.Partitions);
    }

    /// <summary>Without a record the fences tell, which every trainer has raised in every partition: they never expire.</summary>
    private async Task<KeyLayout> FindAsync(CancellationToken cancellationToken)
    {
        RedisKeys newest = new(options.Model, options.Partitions);
        bool[] fences = await ExistAsync(Enumerable.Range(0, options.Partitions).Select(newest.Fence), cancellationToken).ConfigureAwait(false);
        RedisKeys oldest = new(options.Model, HashSlots.Count, layout: 1);
        bool[] numbered = await ExistAsync(Enumerable.Range(0, HashSlots.Count).Select(oldest.Fence), cancellationToken).ConfigureAwait(false);
        int partitions = Array.LastIndexOf(numbered, true) + 1;
        if (partitions > 0 || fences.Contains(true))
        {
            // Tags of the newest layout are numbers too, so a few of either may be named alike.
            return fences.Count(static there => there) > numbered.Take(options.Partitions).Count(static there => there)
                ? newest.Layout
                : new KeyLayout(1, partitions);
        }

        bool pointer = (await ExistAsync([newest.Active], cancellationToken).ConfigureAwait(false))[0];
        return pointer ? new KeyLayout(1, options.Partitions) : newest.Layout;
    }

    private async Task<bool> IsRecordedAsync(CancellationToken cancellationToken) => await RecordAsync(cancellationToken).ConfigureAwait(false) is not null;

    private async Task<KeyLayout?> RecordAsync(CancellationToken cancellationToken)
    {
        RedisValue value = await pipeline.ExecuteAsync(
            async token => await database.StringGetAsync(RedisKeys.LayoutRecordOf(options.Model)).WaitAsync(token).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
        return value.IsNull ? null : KeyLayout.Parse((byte[])value!);
    }

    private async Task<bool> SetIfAbsentAsync(KeyLayout layout, CancellationToken cancellationToken) => await pipeline.ExecuteAsync(
        async token => await database.StringSetAsync(RedisKeys.LayoutRecordOf(options.Model), layout.ToJson(), when: When.NotExists).WaitAsync(token).ConfigureAwait(false),
        cancellationToken).ConfigureAwait(false);

    private async Task<bool[]> ExistAsync(IEnumerable<string> keys, CancellationToken cancellationToken) => await pipeline.ExecuteAsync(
        async token => await Task.WhenAll(keys.Select(key => database.KeyExistsAsync(key))).WaitAsync(token).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
}
