using System.Globalization;
using Polly;
using StackExchange.Redis;
using Streaming.Core;

namespace Streaming.Serving;

/// <summary>
/// Reads item embeddings at any width. Safe for any number of callers at a time; one instance is enough for a process.
/// </summary>
/// <example>
/// <code>
/// EmbeddingReader reader = new(redis.GetDatabase(), new ServingOptions { Model = "shop" }, TimeProvider.System);
/// float[] vectors = new float[ids.Length * 32];
/// ItemRead[] items = new ItemRead[ids.Length];
/// ReadCounts counts = await reader.ReadAsync(ids, 32, vectors, items, cancellationToken);
/// </code>
/// </example>
public sealed class EmbeddingReader
{
    private readonly IDatabase _database;
    private readonly ServingOptions _options;
    private readonly TimeProvider _clock;
    private readonly ResiliencePipeline _pipeline;
    private readonly RedisKeys _keys;
    private readonly Topology _topology;
    private readonly Lock _gate = new();
    private readonly Dictionary<(uint, int), ItemKeySpace> _spaces = [];
    private PointerRead? _pointer;

    /// <summary>Initializes a new instance of the <see cref="EmbeddingReader"/> class.</summary>
    /// <param name="database">The store. The connection is the caller's and may be shared.</param>
    /// <param name="options">Where the model is.</param>
    /// <param name="clock">Time.</param>
    /// <exception cref="ArgumentException">An option is wrong.</exception>
    public EmbeddingReader(IDatabase database, ServingOptions options, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(database);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(clock);
        options.Validate();
        _database = database;
        _options = options;
        _clock = clock;
        _keys = new RedisKeys(options.Model, options.Partitions);
        _pipeline = ReadPipeline.Create(options, clock);
        _topology = new Topology(database);
    }

    /// <summary>Gets the generation that reads use now: the fixed one, or the one that the store's pointer names.</summary>
    /// <returns>0 when nothing was published yet.</returns>
    public async ValueTask<uint> GenerationAsync(CancellationToken cancellationToken = default)
    {
        if (_options.Generation != 0)
        {
            return _options.Generation;
        }

        PointerRead? last = Volatile.Read(ref _pointer);
        if (last is not null && _clock.GetElapsedTime(last.At) < _options.PointerLifetime)
        {
            return last.Generation;
        }

        long at = _clock.GetTimestamp();
        RedisValue value = await _pipeline.ExecuteAsync(
            async token => await _database.StringGetAsync(_keys.Active).WaitAsync(token).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
        uint generation = ParsePointer(value);
        Volatile.Write(ref _pointer, new PointerRead(generation, at));
        return generation;
    }

    /// <summary>Reads one item.</summary>
    /// <param name="id">The item's id.</param>
    /// <param name="destination">Receives the vector; its length is the width, 1 … D.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="RedisException">Redis could not be asked.</exception>
    /// <exception cref="TimeoutException">Redis did not answer in time.</exception>
    public async Task<ItemRead> ReadAsync(string id, Memory<float> destination, CancellationToken cancellationToken = default)
    {
        ItemRead[] item = new ItemRead[1];
        await ReadAsync([id], destination.Length, destination, item, cancellationToken).ConfigureAwait(false);
        return item[0];
    }

    /// <summary>Reads many items by MGET: in a cluster one for each partition that holds some of them.</summary>
    /// <param name="ids">The items' ids, N of them; repeats are allowed.</param>
    /// <param name="width">The width w, 1 … D. With a key per width, one of the nested widths.</param>
    /// <param name="destination">Receives the vectors [N × w], row i for id i; a row that is not found is zeros.</param>
    /// <param name="items">Receives what became of each [N].</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ArgumentException">A buffer is too short or the width is below 1.</exception>
    /// <exception cref="RedisException">Redis could not be asked.</exception>
    /// <exception cref="TimeoutException">Redis did not answer in time.</exception>
    public async Task<ReadCounts> ReadAsync(
        IReadOnlyList<string> ids, int width, Memory<float> destination, Memory<ItemRead> items, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(ids);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        if (destination.Length < (long)ids.Count * width || items.Length < ids.Count)
        {
            throw new ArgumentException($"{ids.Count} items of width {width} need {(long)ids.Count * width} numbers and {ids.Count} results; " +
                $"there is room for {destination.Length} and {items.Length}.", nameof(destination));
        }

        uint generation = await GenerationAsync(cancellationToken).ConfigureAwait(false);
        ItemKeySpace space = Space(generation, width);
        List<Lookup> lookups = Plan(ids, space);
        RedisValue[][] answers = await Task.WhenAll(lookups.Select(lookup => FetchAsync(lookup.Keys, cancellationToken))).ConfigureAwait(false);
        ReadCounts counts = default;
        for (int i = 0; i < lookups.Count; i++)
        {
            counts = Decode(lookups[i].Rows, answers[i], generation, width, destination.Span, items.Span, counts);
        }

        return counts;
    }

    internal static uint ParsePointer(RedisValue value)
    {
        string text = (string?)value ?? "0";
        // White space: a pointer that was set by hand through a pipe ends with a line break.
        return uint.TryParse(text, NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out uint generation)
            ? generation
            : throw new FormatException($"The pointer to the active generation holds '{text}'; expected a number.");
    }

    private static ReadCounts Decode(
        int[] rows, RedisValue[] answers, uint generation, int width, Span<float> destination, Span<ItemRead> items, ReadCounts counts)
    {
        for (int i = 0; i < rows.Length; i++)
        {
            Span<float> row = destination.Slice(rows[i] * width, width);
            ItemRead item = DecodeOne(answers[i], generation, row);
            items[rows[i]] = item;
            if (item.Status != ItemStatus.Found)
            {
                row.Clear();
            }

            counts = item.Status switch
            {
                ItemStatus.Found => counts with { Found = counts.Found + 1 },
                ItemStatus.Missing => counts with { Missing = counts.Missing + 1 },
                _ => counts with { Refused = counts.Refused + 1 },
            };
        }

        return counts;
    }

    private static ItemRead DecodeOne(RedisValue answer, uint generation, Span<float> row)
    {
        if (answer.IsNull)
        {
            return default;
        }

        EmbeddingFault fault = EmbeddingValue.TryRead((byte[])answer!, out EmbeddingView view);
        if (fault != EmbeddingFault.None)
        {
            return new ItemRead(ItemStatus.Refused, fault, default);
        }

        EmbeddingStamp stamp = view.Stamp;
        if (stamp.Generation != generation)
        {
            return new ItemRead(ItemStatus.Refused, EmbeddingFault.OtherGeneration, stamp);
        }

        if (view.Dimension < row.Length)
        {
            return new ItemRead(ItemStatus.Refused, EmbeddingFault.TooNarrow, stamp);
        }

        view.Decode(row);
        return new ItemRead(ItemStatus.Found, EmbeddingFault.None, stamp) { Element = view.Element };
    }

    private async Task<RedisValue[]> FetchAsync(RedisKey[] keys, CancellationToken cancellationToken) =>
        await _pipeline.ExecuteAsync(
            async token => await _database.StringGetAsync(keys).WaitAsync(token).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);

    /// <summary>Cuts the rows into calls. In a cluster the keys of one MGET have to share a hash tag, so there it is one
    /// call or more for each partition; a single server takes any keys together, which is several times faster.</summary>
    private List<Lookup> Plan(IReadOnlyList<string> ids, ItemKeySpace space)
    {
        int[] partitions = new int[ids.Count];
        int[] rows = new int[ids.Count];
        for (int i = 0; i < rows.Length; i++)
        {
            partitions[i] = _keys.Partition(ids[i]);
            rows[i] = i;
        }

        bool together = !_topology.IsCluster;
        if (!together)
        {
            Array.Sort(partitions, rows);
        }

        List<Lookup> lookups = [];
        for (int from = 0; from < rows.Length;)
        {
            int to = from + 1;
            while (to < rows.Length && to - from < _options.KeysPerCall && (together || partitions[to] == partitions[from]))
            {
                to++;
            }

            RedisKey[] keys = new RedisKey[to - from];
            for (int i = from; i < to; i++)
            {
                keys[i - from] = space.Key(partitions[i], ids[rows[i]]);
            }

            lookups.Add(new Lookup(rows[from..to], keys));
            from = to;
        }

        return lookups;
    }

    private ItemKeySpace Space(uint generation, int width)
    {
        (uint, int) name = (generation, _options.KeyPerWidth ? width : 0);
        lock (_gate)
        {
            if (!_spaces.TryGetValue(name, out ItemKeySpace? space))
            {
                if (_spaces.Count > 64)
                {
                    _spaces.Clear(); // generations long gone
                }

                _spaces[name] = space = _keys.Items(generation, _options.KeyPerWidth ? width : null);
            }

            return space;
        }
    }

    private sealed record PointerRead(uint Generation, long At);

    private readonly record struct Lookup(int[] Rows, RedisKey[] Keys);
}
