using Microsoft.AspNetCore.Http;
using StackExchange.Redis;
using Streaming.Core;
using Streaming.Learning;
using Streaming.Serving;
using Streaming.Transport;

namespace Streaming.Worker;

/// <summary>What the lookup routes answer with: vectors, neighbours and recommendations, read from Redis as any serving tier would.</summary>
internal sealed class Lookups : IDisposable
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(1);

    private readonly IDatabase _database;
    private readonly ServingOptions _options;
    private readonly IReadOnlyList<int> _ordinarily;
    private readonly EmbeddingReader _reader;
    private readonly UserTowerReader _towers;
    private readonly Func<string, string?> _titleOf;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private Served _served;
    private long _readAt;
    private bool _read;
    private (uint Generation, EmbeddingReader Reader) _pinned;

    /// <summary>Creates the lookups.</summary>
    /// <param name="database">The store.</param>
    /// <param name="settings">Where the model is, and its widths where the store does not say them.</param>
    /// <param name="titleOf">A title for people, where one is known.</param>
    /// <param name="time">Clock.</param>
    public Lookups(IDatabase database, SettingsValues settings, Func<string, string?> titleOf, TimeProvider time)
    {
        RedisOptions redis = settings.Get<RedisOptions>();
        _database = database;
        _ordinarily = settings.Get<ModelOptions>().Widths;
        _titleOf = titleOf;
        _time = time;
        _options = new ServingOptions { Model = redis.Model, Partitions = redis.Partitions, KeyPerWidth = redis.Layout == EmbeddingKeyLayout.PerWidth };
        _reader = new EmbeddingReader(database, _options, time);
        _towers = new UserTowerReader(database, _options, time);
        _pinned = (0, _reader);
        _served = Serve(_ordinarily);
    }

    /// <summary>Checks that the settings fit the model in Redis; one that cannot be asked is asked at each lookup.</summary>
    /// <exception cref="KeyLayoutException">The model has another number of partitions.</exception>
    public async Task CheckAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _reader.GenerationAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is RedisException or TimeoutException)
        {
            // Away: health says so.
        }
    }

    /// <summary>The nested widths of the generation that readers use, at most a second old.</summary>
    public async Task<IReadOnlyList<int>> WidthsAsync(CancellationToken cancellationToken) => (await ServedAsync(cancellationToken).ConfigureAwait(false)).Widths;

    /// <summary>The vector of each item at a width; null where there is none.</summary>
    public async Task<IReadOnlyList<ItemVector?>> VectorsAsync(IReadOnlyList<string> ids, int width, CancellationToken cancellationToken)
    {
        await RequireGenerationAsync(cancellationToken).ConfigureAwait(false);
        float[] vectors = new float[ids.Count * width];
        ItemRead[] items = new ItemRead[ids.Count];
        await _reader.ReadAsync(ids, width, vectors, items, cancellationToken).ConfigureAwait(false);
        return [.. ids.Select((id, i) => items[i].Status == ItemStatus.Found ? new ItemVector(id, _titleOf(id), items[i].Stamp.Step, vectors[(i * width)..((i + 1) * width)]) : null)];
    }

    /// <summary>The nearest items by cosine at a width, without the item itself.</summary>
    /// <returns>Null when the item has no embedding.</returns>
    public async Task<IReadOnlyList<NearItem>?> NeighboursAsync(string id, int width, int count, CancellationToken cancellationToken)
    {
        await RequireGenerationAsync(cancellationToken).ConfigureAwait(false);
        while (true)
        {
            EmbeddingIndex index = (await RefreshedAsync(cancellationToken).ConfigureAwait(false)).Index;
            uint generation = index.Generation;
            float[] vector = new float[width];
            if ((await ReaderOf(generation).ReadAsync(id, vector, cancellationToken).ConfigureAwait(false)).Status != ItemStatus.Found)
            {
                return null;
            }

            double length = Math.Sqrt(vector.Sum(static value => (double)value * value));
            var best = new Neighbour[count + 1];
            int found = index.Search(vector, width, best);

            // Vectors of two generations cannot be compared, and another may have come between.
            if (index.Generation == generation)
            {
                return [.. best.Take(found).Where(near => near.Id != id).Take(count).Select(near => new NearItem(near.Id, _titleOf(near.Id), Math.Round(length > 0 ? near.Score / length : 0, 4)))];
            }
        }
    }

    /// <summary>The recommender, over items that are at most a second old.</summary>
    public async Task<Recommender> RecommenderAsync(CancellationToken cancellationToken) => (await RefreshedAsync(cancellationToken).ConfigureAwait(false)).Recommender;

    /// <summary>A title for people, where one is known.</summary>
    public string? TitleOf(string id) => _titleOf(id);

    /// <inheritdoc/>
    public void Dispose() => _served.Index.Dispose();

    private async Task RequireGenerationAsync(CancellationToken cancellationToken)
    {
        if (await _reader.GenerationAsync(cancellationToken).ConfigureAwait(false) == 0)
        {
            throw new LookupException(StatusCodes.Status503ServiceUnavailable, $"no generation of model '{_options.Model}' is active in Redis: nothing was published yet, or e:{_options.Model}:active was deleted");
        }
    }

    /// <summary>Reads one generation, whichever the pointer names meanwhile.</summary>
    private EmbeddingReader ReaderOf(uint generation)
    {
        lock (_gate)
        {
            return _pinned.Generation == generation ? _pinned.Reader
                : (_pinned = (generation, new EmbeddingReader(_database, _options with { Generation = generation }, _time))).Reader;
        }
    }

    private Served Serve(IReadOnlyList<int> widths)
    {
        var index = new EmbeddingIndex(_database, _options, widths[^1], cosine: true, _time);
        return new Served(widths, index, new Recommender(_database, _options, index, _time));
    }

    /// <summary>What is served now: another generation may have other widths, and then an index of its own.</summary>
    private async Task<Served> ServedAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_read && _time.GetElapsedTime(_readAt) < Lifetime)
            {
                return _served;
            }
        }

        IReadOnlyList<int> widths = await ReadWidthsAsync(cancellationToken).ConfigureAwait(false);
        lock (_gate)
        {
            (_read, _readAt) = (true, _time.GetTimestamp());

            // The old one is not disposed: requests may still search it.
            return _served = widths.SequenceEqual(_served.Widths) ? _served : Serve(widths);
        }
    }

    private async Task<IReadOnlyList<int>> ReadWidthsAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await _towers.RecordAsync(cancellationToken).ConfigureAwait(false) is { } record ? record.Widths : _ordinarily;
        }
        catch (TowerMismatchException)
        {
            return _ordinarily;
        }
    }

    /// <summary>Brings the index up to date, at most once a second; callers at the same time share one reading.</summary>
    private async Task<Served> RefreshedAsync(CancellationToken cancellationToken)
    {
        Served served = await ServedAsync(cancellationToken).ConfigureAwait(false);
        Task refresh;
        lock (_gate)
        {
            if (served.Refresh is null or { IsFaulted: true } || (served.Refresh.IsCompleted && _time.GetElapsedTime(served.RefreshedAt) >= Lifetime))
            {
                served.RefreshedAt = _time.GetTimestamp();
                served.Refresh = served.Index.RefreshAsync(CancellationToken.None);
            }

            refresh = served.Refresh;
        }

        await refresh.WaitAsync(cancellationToken).ConfigureAwait(false);
        return served;
    }

    private sealed record Served(IReadOnlyList<int> Widths, EmbeddingIndex Index, Recommender Recommender)
    {
        public Task? Refresh { get; set; }

        public long RefreshedAt { get; set; }
    }
}
