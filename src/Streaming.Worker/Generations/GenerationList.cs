using StackExchange.Redis;
using Streaming.Core.Generations;
using Streaming.Transport.Redis;
using Streaming.Transport.Redis.Generations;

namespace Streaming.Worker.Generations;

/// <summary>Reads which generations the store holds and which one readers use.</summary>
/// <param name="redis">The store.</param>
/// <param name="options">Where the model is stored.</param>
/// <param name="widths">The model's widths.</param>
/// <param name="time">Clock.</param>
public sealed class GenerationList(IDatabase redis, RedisOptions options, IReadOnlyList<int> widths, TimeProvider time)
{
    /// <summary>How many generations before the active one are read.</summary>
    public const int Earlier = 4;

    private readonly GenerationSwitch _switch = new(redis, options, widths, time);
    private readonly GenerationPublisher _records = new(redis, options, time);

    /// <summary>Reads the records of the active generation, the next one and a few earlier ones; leaves out those without a
    /// record.</summary>
    /// <returns>The generation that readers use, 0 for none, and the records, newest first.</returns>
    /// <exception cref="RedisException">The store cannot be read.</exception>
    /// <exception cref="FormatException">A record is not one.</exception>
    public async Task<(uint Active, IReadOnlyList<GenerationRecord> Records)> ReadAsync(CancellationToken cancellationToken = default)
    {
        uint active = await _switch.ActiveAsync(cancellationToken).ConfigureAwait(false);
        List<GenerationRecord> records = [];
        for (uint generation = active + 1; generation > 0 && generation + Earlier >= active; generation--)
        {
            if (await _records.ReadAsync(generation, cancellationToken).ConfigureAwait(false) is { } record)
            {
                records.Add(record);
            }
        }

        return (active, records);
    }
}
