using StackExchange.Redis;
using Streaming.Learning;
using Streaming.Serving;
using Streaming.Transport;

namespace Streaming.Worker;

/// <summary>What the lookup routes answer with: vectors, neighbours and recommendations, read from Redis as any serving tier would.</summary>
internal sealed class Lookups : IDisposable
{
    private static readonly TimeSpan IndexLifetime = TimeSpan.FromSeconds(1);

    private readonly EmbeddingReader _reader;
    private readonly EmbeddingIndex _index;
    private readonly Recommender _recommender;
    private readonly Func<string, string?> _titleOf;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private Task? _refresh;
    private long _refreshedAt;

    /// <summary>Creates the lookups.</summary>
    /// <param name="database">The store.</param>
    /// <param name="settings">Where the model is, and its widths.</param>
    /// <param name="titleOf">A title for people, where one is known.</param>
    /// <param name="time">Clock.</param>
    public Lookups(IDatabase database, SettingsValues settings, Func<string, string?> titleOf, TimeProvider time)
    {
        RedisOptions redis = settings.Get<RedisOptions>();
        Widths = settings.Get<ModelOptions>().Widths;
        _titleOf = titleOf;
        _time = time;
        var options = new ServingOptions { Model = redis.Model, Partitions = redis.Partitions, KeyPerWidth = redis.Layout == EmbeddingKeyLayout.PerWidth };
        _reader = new EmbeddingReader(database, options, time);
        _index = new EmbeddingIndex(database, options, Widths[^1], cosine: true, time);
        _recommender = new Recommender(database, options, _index, time);
    }

    /// <summary>Gets the nested widths.</summary>
    public IReadOnlyList<int> Widths { get; }

    /// <summary>The vector of each item at a width; null where there is none.</summary>
    public async Task<IReadOnlyList<ItemVector?>> VectorsAsync(IReadOnlyList<string> ids, int width, CancellationToken cancellationToken)
    {
        float[] vectors = new float[ids.Count * width];
        ItemRead[] items = new ItemRead[ids.Count];
        await _reader.ReadAsync(ids, width, vectors, items, cancellationToken).ConfigureAwait(false);
        return [.. ids.Select((id, i) => items[i].Status == ItemStatus.Found ? new ItemVector(id, _titleOf(id), items[i].Stamp.Step, vectors[(i * width)..((i + 1) * width)]) : null)];
    }

    /// <summary>The nearest items by cosine at a width, without the item itself.</summary>
    /// <returns>Null when the item has no embedding.</returns>
    public async Task<IReadOnlyList<NearItem>?> NeighboursAsync(string id, int width, int count, CancellationToken cancellationToken)
    {
        float[] vector = new float[width];
        if ((await _reader.ReadAsync(id, vector, cancellationToken).ConfigureAwait(false)).Status != ItemStatus.Found)
        {
            return null;
        }

        await RefreshedAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
        double length = Math.Sqrt(vector.Sum(static value => (double)value * value));
        var best = new Neighbour[count + 1];
        int found = _index.Search(vector, width, best);
        return [.. best.Take(found).Where(near => near.Id != id).Take(count).Select(near => new NearItem(near.Id, _titleOf(near.Id), Math.Round(length > 0 ? near.Score / length : 0, 4)))];
    }

    /// <summary>The recommender, over items that are at most a second old.</summary>
    public async Task<Recommender> RecommenderAsync(CancellationToken cancellationToken)
    {
        await RefreshedAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
        return _recommender;
    }

    /// <summary>A title for people, where one is known.</summary>
    public string? TitleOf(string id) => _titleOf(id);

    /// <inheritdoc/>
    public void Dispose() => _index.Dispose();

    /// <summary>Brings the index up to date, at most once a second; callers at the same time share one reading.</summary>
    private Task RefreshedAsync()
    {
        lock (_gate)
        {
            if (_refresh is null or { IsFaulted: true } || (_refresh.IsCompleted && _time.GetElapsedTime(_refreshedAt) >= IndexLifetime))
            {
                _refreshedAt = _time.GetTimestamp();
                _refresh = _index.RefreshAsync(CancellationToken.None);
            }

            return _refresh;
        }
    }
}
