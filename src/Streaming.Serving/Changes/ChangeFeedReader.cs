using StackExchange.Redis;
using Streaming.Core.Embeddings;

namespace Streaming.Serving.Changes;

/// <summary>
/// Follows changes of the store, so that a cache or an index need not rescan it. Entries are numbered consecutively within their
/// partition, so gaps are detected. Not thread-safe.
/// </summary>
/// <example>
/// <code>
/// await feed.SeekToEndAsync(cancellationToken);   // then load everything once, and from here on:
/// FeedRead read = await feed.ReadAsync(changes, cancellationToken);
/// if (read.HasGap) { /* load everything again */ }
/// </code>
/// </example>
public sealed class ChangeFeedReader
{
    /// <summary>An entry holds up to 256 changes.</summary>
    private const int EntriesPerPartition = 100;

    private readonly IDatabase _database;
    private readonly ReadPipeline _pipeline;
    private readonly Topology _topology;
    private readonly StoreView _view;
    private readonly Dictionary<string, int> _partitions = new(StringComparer.Ordinal);
    private readonly RedisKey[] _streams;
    private readonly Position[] _positions;
    private KeyLayout _layout;

    /// <summary>Initializes a new instance of the <see cref="ChangeFeedReader"/> class, at the oldest retained change.</summary>
    /// <exception cref="ArgumentException">An option is invalid.</exception>
    public ChangeFeedReader(IDatabase database, ServingOptions options, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(database);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(time);
        options.Validate();
        _database = database;
        _pipeline = new ReadPipeline(options, time);
        _topology = new Topology(database);
        _view = new StoreView(database, options, time, _pipeline);
        _streams = new RedisKey[options.Partitions];
        _positions = new Position[options.Partitions];
    }

    /// <summary>Seeks to the end: the next read returns changes from now on.</summary>
    public async Task SeekToEndAsync(CancellationToken cancellationToken = default)
    {
        await NameAsync(cancellationToken).ConfigureAwait(false);
        StreamEntry[][] newest = await Task.WhenAll(
                _streams.Select(stream =>
                    RunAsync(() => _database.StreamRangeAsync(stream, count: 1, messageOrder: Order.Descending), cancellationToken)
                )
            )
            .ConfigureAwait(false);
        for (int partition = 0; partition < newest.Length; partition++)
        {
            _positions[partition] = newest[partition].Length == 0 ? new Position("0-0", 0) : Parse(newest[partition][0], []);
        }
    }

    /// <summary>Reads the changes since the last read; does not wait for any.</summary>
    /// <exception cref="KeyLayoutException">The model has a different number of partitions in Redis than in the options.</exception>
    /// <param name="changes">Receives the changes: in order within a partition, at most 100 entries from each.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    public async Task<FeedRead> ReadAsync(List<FeedChange> changes, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(changes);
        int before = changes.Count;
        bool gap = await NameAsync(cancellationToken).ConfigureAwait(false),
            more = false;
        foreach (RedisStream stream in (await FetchAsync(cancellationToken).ConfigureAwait(false)).SelectMany(static answer => answer))
        {
            gap |= Take(_partitions[stream.Key!], stream.Entries, changes);
            more |= stream.Entries.Length == EntriesPerPartition;
        }

        return new FeedRead(changes.Count - before, gap, more);
    }

    /// <summary>Names the streams by the store's key layout, and starts over when it has changed: the store has been
    /// replaced.</summary>
    /// <returns>Whether it changed after something had been read.</returns>
    private async ValueTask<bool> NameAsync(CancellationToken cancellationToken)
    {
        RedisKeys keys = (await _view.ReadAsync(cancellationToken).ConfigureAwait(false)).Keys;
        if (keys.Layout == _layout)
        {
            return false;
        }

        bool read = _positions.Any(static position => position.Number != 0);
        _layout = keys.Layout;
        _partitions.Clear();
        for (int partition = 0; partition < _streams.Length; partition++)
        {
            string stream = keys.Changes(partition);
            _streams[partition] = stream;
            _partitions[stream] = partition;
            _positions[partition] = new Position("0-0", 0);
        }

        return read;
    }

    /// <summary>Fields of an entry: its number n, generation g and token t; then for each change i (id), s (step) and c (check) or, for a
    /// removal, d.</summary>
    private static Position Parse(StreamEntry entry, List<FeedChange> changes)
    {
        long number = 0;
        uint generation = 0,
            token = 0;
        foreach ((string name, RedisValue value) in entry.Values.Select(static field => ((string)field.Name!, field.Value)))
        {
            switch (name)
            {
                case "n":
                    number = (long)value;
                    break;
                case "g":
                    generation = (uint)(long)value;
                    break;
                case "t":
                    token = (uint)(long)value;
                    break;
                case "i":
                    changes.Add(new FeedChange((string)value!, generation, token, 0, IsRemoved: false));
                    break;
                case "s" when changes.Count > 0:
                    changes[^1] = changes[^1] with { Step = (long)value };
                    break;
                case "c" when changes.Count > 0:
                    changes[^1] = changes[^1] with { Check = (uint)(long)value };
                    break;
                case "d" when changes.Count > 0:
                    changes[^1] = changes[^1] with { IsRemoved = true };
                    break;
                default:
                    break; // from a newer writer
            }
        }

        return new Position((string)entry.Id!, number);
    }

    /// <returns>Whether changes are missing before the first.</returns>
    private bool Take(int partition, StreamEntry[] entries, List<FeedChange> changes)
    {
        bool gap = false;
        foreach (StreamEntry entry in entries)
        {
            Position position = Parse(entry, changes);
            gap |= position.Number != _positions[partition].Number + 1;
            _positions[partition] = position;
        }

        return gap;
    }

    /// <summary>One command for all partitions where allowed, otherwise one per partition.</summary>
    private Task<RedisStream[][]> FetchAsync(CancellationToken cancellationToken)
    {
        IEnumerable<int> all = Enumerable.Range(0, _streams.Length);
        IEnumerable<int[]> calls = _topology.IsCluster
            ? all.Select(partition => new[] { partition })
            :
            [
                [.. all],
            ];
        return Task.WhenAll(
            calls.Select(partitions =>
                RunAsync(
                    () =>
                        _database.StreamReadAsync(
                            [.. partitions.Select(p => new StackExchange.Redis.StreamPosition(_streams[p], _positions[p].Entry))],
                            EntriesPerPartition
                        ),
                    cancellationToken
                )
            )
        );
    }

    private Task<T> RunAsync<T>(Func<Task<T>> command, CancellationToken cancellationToken) =>
        _pipeline.RunAsync(command, cancellationToken);

    private readonly record struct Position(string Entry, long Number);
}
