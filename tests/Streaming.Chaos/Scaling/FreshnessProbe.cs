using System.Buffers.Binary;
using System.Diagnostics;
using StackExchange.Redis;
using Streaming.Core.Embeddings;

namespace Streaming.Chaos.Scaling;

/// <summary>
/// Measures freshness as a reader sees it: sends an event of a reserved item ten times per second, between others at a rate, and polls the
/// item's value until it has the time of the event.
/// </summary>
internal sealed class FreshnessProbe(GrowthLoad load, IDatabase redis, string model, int items)
{
    private const int EventTimeAt = 22;
    private const int ProbesPerSecond = 10;
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly ItemKeySpace _keys = new RedisKeys(model, RedisKeys.DefaultPartitions).Items(1);

    /// <summary>Sends events for some time.</summary>
    /// <param name="rate">Events per second, probes included.</param>
    /// <param name="duration">How long.</param>
    /// <returns>Seconds from the sending of each probe until it was read.</returns>
    /// <exception cref="TimeoutException">A probe did not arrive within a minute.</exception>
    public async Task<double[]> MeasureAsync(double rate, TimeSpan duration)
    {
        var probes = new List<Task<double>>();
        long begun = Stopwatch.GetTimestamp();
        long sent = 0;
        while (Stopwatch.GetElapsedTime(begun) is var elapsed && elapsed < duration)
        {
            for (; sent < elapsed.TotalSeconds * (rate - ProbesPerSecond); sent++)
            {
                load.SendEvent(Now());
            }

            if (probes.Count < elapsed.TotalSeconds * ProbesPerSecond)
            {
                probes.Add(ProbeAsync(items - GrowthLoad.Reserved + (probes.Count % GrowthLoad.Reserved)));
            }

            await Task.Delay(2).ConfigureAwait(false);
        }

        return await Task.WhenAll(probes).ConfigureAwait(false);
    }

    private async Task<double> ProbeAsync(int item)
    {
        long time = Now();
        long begun = Stopwatch.GetTimestamp();
        load.SendEvent(item, time);
        RedisKey key = _keys.Key(GrowthLoad.Id(item));
        while (Stopwatch.GetElapsedTime(begun) < Patience)
        {
            byte[]? value = await redis.StringGetRangeAsync(key, EventTimeAt, EventTimeAt + 5).ConfigureAwait(false);
            if (value is { Length: 6 } && TimeOf(value) >= time)
            {
                return Stopwatch.GetElapsedTime(begun).TotalSeconds;
            }

            await Task.Delay(Poll).ConfigureAwait(false);
        }

        throw new TimeoutException($"{GrowthLoad.Id(item)} did not get the event of {time} within {Patience}.");
    }

    private static long TimeOf(ReadOnlySpan<byte> bytes) =>
        BinaryPrimitives.ReadUInt32LittleEndian(bytes) + ((long)BinaryPrimitives.ReadUInt16LittleEndian(bytes[4..]) << 32);

    private static long Now() => TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
}
