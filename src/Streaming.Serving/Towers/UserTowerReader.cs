using StackExchange.Redis;
using Streaming.Core.Embeddings;
using Streaming.Core.Generations;
using Streaming.Models.Slices;
using Streaming.Serving.Lookups;

namespace Streaming.Serving.Towers;

/// <summary>
/// Reads the user tower of the active generation, for a tier that computes user vectors itself. Rejects a tower of another
/// generation, or one older than the generation's record. Thread-safe.
/// </summary>
/// <example>
/// <code>
/// UserTowerReader towers = new(redis.GetDatabase(), options, TimeProvider.System);
/// SlicedModel? tower = await towers.ReadAsync(width: 32);     // now and then: the same object while nothing is newer
/// UserEncoder encoder = tower.CreateEncoder();                // one a thread
/// encoder.Encode(itemVectors, userVector);                    // vectors of the user's items at width 32, oldest first
/// </code>
/// </example>
public sealed class UserTowerReader
{
    private readonly IDatabase _database;
    private readonly RedisKeys _keys;
    private readonly EmbeddingReader _pointer;
    private readonly ReadPipeline _pipeline;
    private readonly Lock _gate = new();
    private readonly Dictionary<int, SlicedModel> _newest = [];

    /// <summary>Initializes a new instance of the <see cref="UserTowerReader"/> class.</summary>
    /// <exception cref="ArgumentException">An option is invalid.</exception>
    public UserTowerReader(IDatabase database, ServingOptions options, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(database);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(time);
        options.Validate();
        _database = database;
        _keys = new RedisKeys(options.Model, options.Partitions);
        _pointer = new EmbeddingReader(database, options, time);
        _pipeline = new ReadPipeline(options, time);
    }

    /// <summary>Reads the record of the current generation.</summary>
    /// <returns>Null when there is none.</returns>
    /// <exception cref="TowerMismatchException">The value is not a record, or of another generation.</exception>
    public async Task<GenerationRecord?> RecordAsync(CancellationToken cancellationToken = default)
    {
        uint generation = await _pointer.GenerationAsync(cancellationToken).ConfigureAwait(false);
        byte[]? json = await GetAsync(_keys.Generation(generation), cancellationToken).ConfigureAwait(false);
        if (json is null)
        {
            return null;
        }

        try
        {
            var record = GenerationRecord.Parse(json);
            return record.Generation == generation
                ? record
                : throw new TowerMismatchException($"{_keys.Generation(generation)} is the record of generation {record.Generation}.");
        }
        catch (FormatException exception)
        {
            throw new TowerMismatchException($"{_keys.Generation(generation)}: {exception.Message}", exception);
        }
    }

    /// <summary>Reads the user tower at a width; returns the previous object when there is no newer one.</summary>
    /// <param name="width">One of the model's widths.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    /// <returns>Null when none is published: nothing has been yet, or the trainer's <c>STREAMING__Redis__TowerInterval</c> is 0.</returns>
    /// <exception cref="TowerMismatchException">The tower does not match the embeddings; the message says why.</exception>
    /// <exception cref="RedisException">Redis could not be read.</exception>
    public async Task<SlicedModel?> ReadAsync(int width, CancellationToken cancellationToken = default)
    {
        if (await RecordAsync(cancellationToken).ConfigureAwait(false) is not { } record)
        {
            return null;
        }

        if (!record.Widths.Contains(width))
        {
            throw new TowerMismatchException($"width is {width}; generation {record.Generation} has {string.Join(", ", record.Widths)}.");
        }

        lock (_gate)
        {
            if (_newest.TryGetValue(width, out SlicedModel? last) && last.Version >= record.Version)
            {
                return last;
            }
        }

        string key = _keys.Tower(record.Generation, width);
        if (await GetAsync(key, cancellationToken).ConfigureAwait(false) is not { } file)
        {
            return null;
        }

        SlicedModel tower = Check(key, file, width, record);
        lock (_gate)
        {
            _newest[width] = tower;
        }

        return tower;
    }

    private static SlicedModel Check(string key, byte[] file, int width, GenerationRecord record)
    {
        SlicedModel tower;
        try
        {
            tower = SlicedModel.Read(file);
        }
        catch (InvalidDataException exception)
        {
            throw new TowerMismatchException($"{key}: {exception.Message}", exception);
        }

        return tower.Version.Generation != record.Generation
                ? throw new TowerMismatchException(
                    $"{key} contains a tower of generation {tower.Version.Generation}; the embeddings are of generation "
                        + $"{record.Generation}."
                )
            : tower.Width != width ? throw new TowerMismatchException($"{key} contains a tower of width {tower.Width}.")
            : tower.Version < record.Version
                ? throw new TowerMismatchException(
                    $"{key} contains a tower of {tower.Version}, older than the generation record's {record.Version}: it was left by a "
                        + "previous trainer."
                )
            : tower;
    }

    private async Task<byte[]?> GetAsync(string key, CancellationToken cancellationToken) =>
        (byte[]?)await _pipeline.RunAsync(() => _database.StringGetAsync(key), cancellationToken).ConfigureAwait(false);
}
