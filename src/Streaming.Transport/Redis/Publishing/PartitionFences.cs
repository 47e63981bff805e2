using StackExchange.Redis;
using Streaming.Core.Embeddings;

namespace Streaming.Transport.Redis.Publishing;

/// <summary>The fences of a generation's partitions, and how many writes Redis has answered in each. A server that counts fewer has
/// lost some: it was a replica that had not received them when it took over.</summary>
/// <param name="keys">Names of the fences.</param>
/// <param name="generation">The generation.</param>
/// <param name="token">Token of the trainer.</param>
internal sealed class PartitionFences(RedisKeys keys, uint generation, uint token)
{
    private int _empty;
    private int _lost;
    private readonly long[] _writes = new long[keys.Partitions];

    public RedisKeys Keys => keys;

    public uint Generation => generation;

    public uint Token => token;

    /// <summary>Gets how many writes of a partition were answered.</summary>
    public long Writes(int partition) => Volatile.Read(ref _writes[partition]);

    /// <summary>Takes note of an answer; they come in any order.</summary>
    public void Answered(int partition, long writes)
    {
        long known = Volatile.Read(ref _writes[partition]);
        while (known < writes)
        {
            long before = Interlocked.CompareExchange(ref _writes[partition], writes, known);
            if (before == known)
            {
                return;
            }

            known = before;
        }
    }

    /// <summary>Raises every fence.</summary>
    /// <param name="run">Runs a script on the store.</param>
    /// <exception cref="FencedException">A newer trainer was here.</exception>
    public Task RaiseAsync(Func<RedisScript, RedisKey[], RedisValue[], Task<RedisResult>> run) =>
        Task.WhenAll(Enumerable.Range(0, keys.Partitions).Select(partition => RaiseAsync(partition, run)));

    /// <summary>What was found since this was last asked, the worst of all partitions; also by attempts that failed half-way.</summary>
    public StoreState Found()
    {
        bool lost = Interlocked.Exchange(ref _lost, 0) != 0;
        return Interlocked.Exchange(ref _empty, 0) != 0 ? StoreState.Empty : lost ? StoreState.WritesLost : StoreState.Kept;
    }

    private async Task RaiseAsync(int partition, Func<RedisScript, RedisKey[], RedisValue[], Task<RedisResult>> run)
    {
        RedisResult[] answer = (RedisResult[])(await run(PublishScripts.Raise, [keys.Fence(partition)], [(long)token, (long)generation, Writes(partition)]).ConfigureAwait(false))!;
        switch ((int)answer[0])
        {
            case PublishScripts.StatusFenced: throw new FencedException(token, (uint)(long)answer[1]);
            case PublishScripts.StatusEmpty: Interlocked.Exchange(ref _empty, 1); break;
            case PublishScripts.StatusLost: Interlocked.Exchange(ref _lost, 1); break;
        }

        Volatile.Write(ref _writes[partition], (long)answer[1]);
    }
}
