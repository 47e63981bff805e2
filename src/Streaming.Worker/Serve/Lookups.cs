using StackExchange.Redis;
using Streaming.Learning;
using Streaming.Serving;
using Streaming.Transport;

namespace Streaming.Worker;

/// <summary>What the lookup routes answer with: vectors and neighbours, read from Redis as any serving tier would.</summary>
internal sealed class Lookups
{
    private readonly EmbeddingReader _reader;
    private readonly ItemIndex _index;
    private readonly Func<string, string?> _titleOf;

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
        _reader = new EmbeddingReader(database, new ServingOptions { Model = redis.Model, Partitions = redis.Partitions, KeyPerWidth = redis.Layout == EmbeddingKeyLayout.PerWidth }, time);
        _index = new ItemIndex(database, _reader, redis, Widths[^1], time);
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

    /// <summary>The nearest items by cosine at a width.</summary>
    /// <returns>Null when the item has no embedding.</returns>
    public async Task<IReadOnlyList<Neighbour>?> NeighboursAsync(string id, int width, int count, CancellationToken cancellationToken)
    {
        ItemVectors items = await _index.GetAsync(cancellationToken).ConfigureAwait(false);
        return items.Contains(id) ? [.. items.Nearest(id, width, count).Select(near => new Neighbour(near.Id, _titleOf(near.Id), Math.Round(near.Score, 4)))] : null;
    }

    /// <summary>A title for people, where one is known.</summary>
    public string? TitleOf(string id) => _titleOf(id);
}
