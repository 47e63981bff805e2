using System.Globalization;
using StackExchange.Redis;
using Streaming.Core.Embeddings;

namespace Streaming.Serving;

/// <summary>A model's active generation and key layout, as recorded in the store. Cached for
/// <see cref="ServingOptions.PointerLifetime"/>. Thread-safe.</summary>
internal sealed class StoreView(IDatabase database, ServingOptions options, TimeProvider time, ReadPipeline pipeline)
{
    private readonly RedisKeys _newest = new(options.Model, options.Partitions);
    private Known? _known;

    /// <summary>Reads the store, or returns a recent result.</summary>
    /// <returns>The generation, 0 when nothing has been published, and the key names.</returns>
    /// <exception cref="KeyLayoutException">The model has a different number of partitions in Redis than in the options.</exception>
    /// <exception cref="FormatException">The pointer or the layout record is invalid, or newer than this reader.</exception>
    /// <exception cref="RedisException">Redis could not be read.</exception>
    /// <exception cref="TimeoutException">Redis did not answer in time.</exception>
    public ValueTask<Known> ReadAsync(CancellationToken cancellationToken)
    {
        Known? last = Volatile.Read(ref _known);
        return last is not null && time.GetElapsedTime(last.At) < options.PointerLifetime
            ? new(last)
            : new(AskAsync(last, cancellationToken));
    }

    private async Task<Known> AskAsync(Known? last, CancellationToken cancellationToken)
    {
        long at = time.GetTimestamp();
        Task<KeyLayout?> record = GetAsync(
            _newest.LayoutRecord,
            static value => value.IsNull ? (KeyLayout?)null : KeyLayout.Parse((byte[])value!),
            cancellationToken
        );
        uint pointer = await GetAsync(_newest.Active, ParsePointer, cancellationToken).ConfigureAwait(false);

        // Layout 1 predates layout records. If nothing has been published, any layout will do.
        KeyLayout layout = await record.ConfigureAwait(false) ?? new KeyLayout(pointer == 0 ? KeyLayout.Newest : 1, options.Partitions);
        RedisKeys keys = layout.Keys(options.Model, options.Partitions);
        Known known = new(
            options.Generation != 0 ? options.Generation : pointer,
            last is not null && last.Keys.Layout == keys.Layout ? last.Keys : keys,
            at
        );
        Volatile.Write(ref _known, known);
        return known;
    }

    private async Task<T> GetAsync<T>(string key, Func<RedisValue, T> parse, CancellationToken cancellationToken)
    {
        try
        {
            return parse(await pipeline.RunAsync(() => database.StringGetAsync(key), cancellationToken).ConfigureAwait(false));
        }
        catch (Exception error)
            when (error is FormatException
                || (error is RedisServerException && error.Message.StartsWith("WRONGTYPE", StringComparison.Ordinal))
            )
        {
            throw new FormatException($"Redis key '{key}' is not what a trainer writes there: {error.Message}", error);
        }
    }

    private static uint ParsePointer(RedisValue value)
    {
        string text = (string?)value ?? "0";

        // White space: a pointer set manually through a pipe ends with a newline.
        return uint.TryParse(
            text,
            NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite,
            CultureInfo.InvariantCulture,
            out uint generation
        )
            ? generation
            : throw new FormatException($"it is '{(text.Length > 64 ? text[..64] + "…" : text)}'; expected the number of a generation.");
    }

    /// <summary>The result of a read.</summary>
    /// <param name="Generation">The generation to read; 0: none yet.</param>
    /// <param name="Keys">Key names; the same object as long as the layout is the same.</param>
    /// <param name="At">When it was requested.</param>
    internal sealed record Known(uint Generation, RedisKeys Keys, long At);
}
