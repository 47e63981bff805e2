using System.Globalization;
using StackExchange.Redis;
using Streaming.Core.Embeddings;

namespace Streaming.Serving;

/// <summary>What a store says of a model: which generation readers use, and how its keys are formed. Believed for
/// <see cref="ServingOptions.PointerLifetime"/>, then read again. Safe for any number of callers at a time.</summary>
internal sealed class StoreView(IDatabase database, ServingOptions options, TimeProvider clock, ReadPipeline pipeline)
{
    private readonly RedisKeys _newest = new(options.Model, options.Partitions);
    private Known? _known;

    /// <summary>Reads it, or gives what was read lately.</summary>
    /// <returns>The generation, 0 when nothing was published yet, and the names of the keys.</returns>
    /// <exception cref="KeyLayoutException">The model has another number of partitions in Redis than the options.</exception>
    /// <exception cref="FormatException">The pointer or the record of the layout is not one, or newer than this reader.</exception>
    /// <exception cref="RedisException">Redis could not be asked.</exception>
    /// <exception cref="TimeoutException">Redis did not answer in time.</exception>
    public ValueTask<Known> ReadAsync(CancellationToken cancellationToken)
    {
        Known? last = Volatile.Read(ref _known);
        return last is not null && clock.GetElapsedTime(last.At) < options.PointerLifetime ? new(last) : new(AskAsync(last, cancellationToken));
    }

    private async Task<Known> AskAsync(Known? last, CancellationToken cancellationToken)
    {
        long at = clock.GetTimestamp();
        Task<RedisValue> record = pipeline.RunAsync(() => database.StringGetAsync(_newest.LayoutRecord), cancellationToken);
        uint pointer = ParsePointer(await pipeline.RunAsync(() => database.StringGetAsync(_newest.Active), cancellationToken).ConfigureAwait(false));
        byte[]? layout = await record.ConfigureAwait(false);

        // Before there were records there was layout 1. Where nothing was published yet any will do.
        RedisKeys keys = layout is not null ? KeyLayout.Parse(layout).Keys(options.Model, options.Partitions)
            : new KeyLayout(pointer == 0 ? KeyLayout.Newest : 1, options.Partitions).Keys(options.Model, options.Partitions);
        Known known = new(options.Generation != 0 ? options.Generation : pointer, last is not null && last.Keys.Layout == keys.Layout ? last.Keys : keys, at);
        Volatile.Write(ref _known, known);
        return known;
    }

    private static uint ParsePointer(RedisValue value)
    {
        string text = (string?)value ?? "0";

        // White space: a pointer that was set by hand through a pipe ends with a line break.
        return uint.TryParse(text, NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out uint generation)
            ? generation
            : throw new FormatException($"The pointer to the active generation holds '{text}'; expected a number.");
    }

    /// <summary>What was read.</summary>
    /// <param name="Generation">The generation to read; 0: none yet.</param>
    /// <param name="Keys">Names; the same object as long as the layout is the same.</param>
    /// <param name="At">When it was asked for.</param>
    internal sealed record Known(uint Generation, RedisKeys Keys, long At);
}
