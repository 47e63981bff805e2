using Polly;
using StackExchange.Redis;
using Streaming.Core.Embeddings;

namespace Streaming.Transport.Redis.Layout;

/// <summary>
/// A model's key names, by the layout recorded in its store. A model whose data predates that record keeps
/// layout 1; a new model gets the newest layout and a record. Thread-safe.
/// </summary>
/// <param name="database">The store.</param>
/// <param name="options">Model and partitions.</param>
/// <param name="pipeline">Timeouts and retries.</param>
internal sealed class StoreKeys(IDatabase database, RedisOptions options, ResiliencePipeline pipeline)
{
    private RedisKeys? _keys;

    /// <summary>Gets the key names; the first call reads the store.</summary>
    /// <param name="write">Whether to write a missing record.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="KeyLayoutException">The store has a different number of partitions.</exception>
    /// <exception cref="FormatException">The record is invalid, or newer than this program.</exception>
    public async ValueTask<RedisKeys> GetAsync(bool write, CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref _keys) is { } known)
        {
            return known;
        }

        RedisKeys keys = await ReadAsync(write, cancellationToken).ConfigureAwait(false);
        return Interlocked.CompareExchange(
                ref _keys,
                write || await IsRecordedAsync(cancellationToken).ConfigureAwait(false) ? keys : null,
                null
            ) ?? keys;
    }

    /// <summary>Rewrites a lost record, with the layout in use.</summary>
    /// <returns>Whether it was lost.</returns>
    /// <exception cref="KeyLayoutException">The store has a different one.</exception>
    public async Task<bool> RestoreAsync(CancellationToken cancellationToken)
    {
        RedisKeys keys = await GetAsync(write: true, cancellationToken).ConfigureAwait(false);
        if (await SetIfAbsentAsync(keys.Layout, cancellationToken).ConfigureAwait(false))
        {
            return true;
        }

        KeyLayout stored = await RecordAsync(cancellationToken).ConfigureAwait(false) ?? keys.Layout;
        return stored == keys.Layout
            ? false
            : throw new FormatException(
                $"{keys.LayoutRecord} says layout {stored.Version} with {stored.Partitions} partitions; this trainer writes layout "
                    + $"{keys.Layout.Version} with {keys.Partitions}. Restart it."
            );
    }

    private async Task<RedisKeys> ReadAsync(bool write, CancellationToken cancellationToken)
    {
        KeyLayout? layout = await RecordAsync(cancellationToken).ConfigureAwait(false);
        if (layout is null)
        {
            KeyLayout found = await FindAsync(cancellationToken).ConfigureAwait(false);

            // A trainer that started in the meantime wrote its record before its first fence.
            found = await RecordAsync(cancellationToken).ConfigureAwait(false) ?? found;
            _ = found.Keys(options.Model, options.Partitions);

            // Another worker may have written first; its record wins.
            layout =
                !write || await SetIfAbsentAsync(found, cancellationToken).ConfigureAwait(false)
                    ? found
                    : await RecordAsync(cancellationToken).ConfigureAwait(false) ?? found;
        }

        return layout.Value.Keys(options.Model, options.Partitions);
    }

    /// <summary>
    /// Without a record, infers the layout from the fences, which every trainer raises in every partition and which never expire.
    /// </summary>
    private async Task<KeyLayout> FindAsync(CancellationToken cancellationToken)
    {
        RedisKeys newest = new(options.Model, options.Partitions);
        bool[] fences = await ExistAsync(Enumerable.Range(0, options.Partitions).Select(newest.Fence), cancellationToken)
            .ConfigureAwait(false);
        RedisKeys oldest = new(options.Model, HashSlots.Count, layout: 1);
        bool[] numbered = await ExistAsync(Enumerable.Range(0, HashSlots.Count).Select(oldest.Fence), cancellationToken)
            .ConfigureAwait(false);
        int partitions = Array.LastIndexOf(numbered, true) + 1;
        if (partitions > 0 || fences.Contains(true))
        {
            // Hash tags of the newest layout are numbers too, so a few names are the same in both.
            return fences.Count(static there => there) > numbered.Take(options.Partitions).Count(static there => there)
                ? newest.Layout
                : new KeyLayout(1, partitions);
        }

        bool pointer = (await ExistAsync([newest.Active], cancellationToken).ConfigureAwait(false))[0];
        return pointer ? new KeyLayout(1, options.Partitions) : newest.Layout;
    }

    private async Task<bool> IsRecordedAsync(CancellationToken cancellationToken) =>
        await RecordAsync(cancellationToken).ConfigureAwait(false) is not null;

    private async Task<KeyLayout?> RecordAsync(CancellationToken cancellationToken)
    {
        RedisValue value = await pipeline
            .ExecuteAsync(
                async token =>
                    await database.StringGetAsync(RedisKeys.LayoutRecordOf(options.Model)).WaitAsync(token).ConfigureAwait(false),
                cancellationToken
            )
            .ConfigureAwait(false);
        return value.IsNull ? null : KeyLayout.Parse((byte[])value!);
    }

    private async Task<bool> SetIfAbsentAsync(KeyLayout layout, CancellationToken cancellationToken) =>
        await pipeline
            .ExecuteAsync(
                async token =>
                    await database
                        .StringSetAsync(RedisKeys.LayoutRecordOf(options.Model), layout.ToJson(), when: When.NotExists)
                        .WaitAsync(token)
                        .ConfigureAwait(false),
                cancellationToken
            )
            .ConfigureAwait(false);

    private async Task<bool[]> ExistAsync(IEnumerable<string> keys, CancellationToken cancellationToken) =>
        await pipeline
            .ExecuteAsync(
                async token => await Task.WhenAll(keys.Select(key => database.KeyExistsAsync(key))).WaitAsync(token).ConfigureAwait(false),
                cancellationToken
            )
            .ConfigureAwait(false);
}
