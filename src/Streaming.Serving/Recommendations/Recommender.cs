using System.Buffers;
using System.Collections.Concurrent;
using System.Numerics.Tensors;
using StackExchange.Redis;
using Streaming.Core;

namespace Streaming.Serving;

/// <summary>
/// Recommends items: the user tower turns recent items into a vector, and an exact search over the index finds what scores
/// highest with it. Tower and index must be of one generation. Safe for any number of callers at a time.
/// </summary>
/// <example>
/// <code>
/// Recommender recommender = new(redis.GetDatabase(), options, index, TimeProvider.System);   // refresh the index every second or so
/// Recommendation? shown = await recommender.ForUserAsync("ann", width: 32, count: 20, excludeSeen: true, cancellationToken);
/// shown = await recommender.ForItemsAsync(["item-1", "item-2"], 32, 20, true, cancellationToken);   // a session of one's own
/// </code>
/// </example>
public sealed class Recommender
{
    private readonly ServingOptions _options;
    private readonly EmbeddingIndex _index;
    private readonly UserHistoryReader _histories;
    private readonly UserTowerReader _towers;
    private readonly TimeProvider _clock;
    private readonly ConcurrentDictionary<int, LoadedTower> _loaded = new();

    /// <summary>Initializes a new instance of the <see cref="Recommender"/> class.</summary>
    /// <param name="database">The store.</param>
    /// <param name="options">Where the model is.</param>
    /// <param name="index">The items; who owns it keeps it fresh.</param>
    /// <param name="clock">Time.</param>
    /// <exception cref="ArgumentException">An option is wrong.</exception>
    public Recommender(IDatabase database, ServingOptions options, EmbeddingIndex index, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(index);
        ArgumentNullException.ThrowIfNull(clock);
        _options = options;
        _index = index;
        _histories = new UserHistoryReader(database, options, clock);
        _towers = new UserTowerReader(database, options, clock);
        _clock = clock;
    }

    /// <summary>Recommends by a user's published items; who has none gets what strangers get.</summary>
    /// <param name="user">The user's id.</param>
    /// <param name="width">One of the model's widths.</param>
    /// <param name="count">The most items, 1 and up.</param>
    /// <param name="excludeSeen">Whether items of the history are left out.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Null when no user tower is published.</returns>
    /// <exception cref="TowerMismatchException">The tower is not of the generation of the items, or has no such width.</exception>
    /// <exception cref="EmbeddingFormatException">The bytes of the user's history are none.</exception>
    /// <exception cref="RedisException">Redis could not be asked.</exception>
    public async Task<Recommendation?> ForUserAsync(string user, int width, int count, bool excludeSeen, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        if (await TowerAsync(width, cancellationToken).ConfigureAwait(false) is not { } tower)
        {
            return null;
        }

        ulong[] items = new ulong[tower.Model.Model.HistoryLength];
        int known = await _histories.ReadAsync(user, items, cancellationToken).ConfigureAwait(false);
        return Recommend(tower, items.AsSpan(0, known), count, excludeSeen);
    }

    /// <summary>Recommends by items that the caller names, as a tier with its own sessions does.</summary>
    /// <param name="items">Ids, oldest first; the newest that the model's history holds are used. Unknown ones are passed over.</param>
    /// <param name="width">One of the model's widths.</param>
    /// <param name="count">The most items, 1 and up.</param>
    /// <param name="excludeSeen">Whether these items are left out.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Null when no user tower is published.</returns>
    /// <exception cref="TowerMismatchException">The tower is not of the generation of the items, or has no such width.</exception>
    /// <exception cref="RedisException">Redis could not be asked.</exception>
    public async Task<Recommendation?> ForItemsAsync(IReadOnlyList<string> items, int width, int count, bool excludeSeen, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(items);
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        if (await TowerAsync(width, cancellationToken).ConfigureAwait(false) is not { } tower)
        {
            return null;
        }

        ulong[] keys = [.. items.TakeLast(tower.Model.Model.HistoryLength).Select(RedisKeys.Hash)];
        return Recommend(tower, keys, count, excludeSeen);
    }

    /// <summary>The newest tower of a width; looked for as often as the pointer to the generation.</summary>
    private async ValueTask<LoadedTower?> TowerAsync(int width, CancellationToken cancellationToken)
    {
        if (_loaded.TryGetValue(width, out LoadedTower? last) && _clock.GetElapsedTime(last.ReadAt) < _options.PointerLifetime)
        {
            return last;
        }

        long now = _clock.GetTimestamp();
        if (await _towers.ReadAsync(width, cancellationToken).ConfigureAwait(false) is not { } model)
        {
            return null;
        }

        return _loaded[width] = ReferenceEquals(model, last?.Model) ? last!.Renewed(now) : new LoadedTower(model, now);
    }

    private Recommendation Recommend(LoadedTower tower, ReadOnlySpan<ulong> keys, int count, bool excludeSeen)
    {
        int width = tower.Model.Width;
        float[] vectors = ArrayPool<float>.Shared.Rent(keys.Length * width);
        try
        {
            while (true)
            {
                uint generation = _index.Generation;
                if (generation != tower.Model.Version.Generation)
                {
                    throw new TowerMismatchException($"The user tower is of generation {tower.Model.Version.Generation}, the items are of generation {generation}.");
                }

                List<string> history = new(keys.Length);
                _index.Read(keys, width, vectors, history);
                float[] users = tower.Encode(vectors.AsSpan(0, history.Count * width));
                IReadOnlyList<Neighbour> items = Search(users, width, tower.Model.Model.Cosine, count, excludeSeen ? keys : []);

                // Another generation may have come between.
                if (_index.Generation == generation)
                {
                    return new Recommendation(tower.Model.Version, history, items);
                }
            }
        }
        finally
        {
            ArrayPool<float>.Shared.Return(vectors);
        }
    }

    /// <summary>The best of all interests, each item with its best score.</summary>
    private List<Neighbour> Search(ReadOnlySpan<float> users, int width, bool cosine, int count, ReadOnlySpan<ulong> without)
    {
        HashSet<ulong> taken = [.. without];
        Neighbour[] found = new Neighbour[count + taken.Count];
        List<Neighbour> best = [];
        for (int at = 0; at < users.Length; at += width)
        {
            ReadOnlySpan<float> user = users.Slice(at, width);
            float length = cosine ? TensorPrimitives.Norm(user) : 1;
            int items = _index.Search(user, width, cosine, found);
            foreach (ref readonly Neighbour item in found.AsSpan(0, items))
            {
                best.Add(item with { Score = length > 0 ? item.Score / length : 0 });
            }
        }

        if (users.Length > width)
        {
            best.Sort(static (a, b) => b.Score.CompareTo(a.Score));
        }

        best.RemoveAll(item => !taken.Add(RedisKeys.Hash(item.Id)));
        best.RemoveRange(Math.Min(count, best.Count), Math.Max(0, best.Count - count));
        return best;
    }
}
